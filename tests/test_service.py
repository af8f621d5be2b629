"""The service in this process: every route, every scope, every sort of body, and the laws that its answers keep."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="the service needs the extra `service`, which is not installed")

import msgspec
import postgresql_server
from service_calls import DAY, LINES, QUICK, Asked, Clock, Loop, Reply, asked, of, until, upheld

import strikeout
from strikeout.cli import commands
from strikeout.facts import Fact
from strikeout.ground.problems import RunError
from strikeout.log import Database, DatabaseUnavailable, open_database
from strikeout.log.log import MOST_GLANCED
from strikeout.machine.compiled.undoable import Undoable
from strikeout.service import histories as histories_module
from strikeout.service import journals as journals_module
from strikeout.service import types
from strikeout.service.decisions import MOST_AT_ONCE, decision
from strikeout.service.events import Follower, Watches
from strikeout.service.histories import SHORT
from strikeout.service.keys import SCOPES, digest, new_key
from strikeout.service.problems import CODES, MEDIA_TYPE
from strikeout.service.records import Journal
from strikeout.service.server import check_host
from strikeout.service.table import ROUTES
from strikeout.speech.outcome import record, to_json

LOG = "counterfeit"
POLICY = "taobao-counterfeit"
STRANGE = ("小明/店 铺%2F", "a/b//c", "..", "%", "?x=1#y", "ü\u0301+& ", "🏪", "so_not-a-key")


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with open_database(str(tmp_path / "log.db"), clock=clock) as made:
        yield made


@pytest.fixture
def ask(database: Database, loop: Loop) -> Iterator[Asked]:
    with asked(database, loop) as made:
        yield made


@pytest.fixture
def log(ask: Asked) -> Asked:
    """The service with a log in which a ruleset is in force and a seller has some strikes."""
    return filled(ask)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Asked]:
    """The same for tests that do not mind each other."""
    path = tmp_path_factory.mktemp("shared") / "log.db"
    with open_database(str(path), clock=Clock()) as database, asked(database, loop) as made:
        yield filled(made)


def filled(ask: Asked) -> Asked:
    begin(ask)
    rows = [upheld("xiaoming", n, day) for n, day in enumerate(("2014-12-01", "2015-01-02", "2015-01-03T12:00"))]
    rows += [upheld("xiaoming", 7, "2015-01-04T09:00", right="other")]
    done(ask("POST", f"/v1/logs/{LOG}/facts", [{"key": f"k{n}", "fact": row} for n, row in enumerate(rows)]), 201)
    return ask


def begin(ask: Asked, policy: str = POLICY, log: str = LOG) -> None:
    done(ask("POST", f"/v1/logs/{log}"), 201)
    done(ask("POST", f"/v1/logs/{log}/activations", {"ruleset": policy, "from": "2014-01-01"}), 201)


def done(reply: Reply, status: int = 200) -> Any:
    assert reply.status == status, reply.body.decode()
    return reply.json if reply.body else None


def refused(reply: Reply, code: str) -> types.Problem:
    """A refusal with a code: problem details that say so."""
    assert reply.headers["content-type"] == MEDIA_TYPE, reply
    problem = msgspec.json.decode(reply.body, type=types.Problem)
    assert (problem.code, problem.status) == (code, reply.status), reply.body.decode()
    assert CODES[code] == (reply.status, problem.title)
    return problem


# Every route.

SUBJECT = of(LOG, "xiaoming")
EXAMPLES: dict[tuple[str, str], tuple[str, Any]] = {
    ("POST", "/v1/logs/{log}/decide"): (f"/v1/logs/{LOG}/decide", {"subject": "xiaoming"}),
    ("POST", "/v1/logs/{log}/facts"): (f"/v1/logs/{LOG}/facts", {"key": "n", "fact": upheld("s", 1, "2015-01-05")}),
    ("GET", "/v1/logs/{log}/facts"): (f"/v1/logs/{LOG}/facts?limit=2", None),
    ("GET", "/v1/logs"): ("/v1/logs", None),
    ("POST", "/v1/logs/{log}"): ("/v1/logs/another", None),
    ("GET", "/v1/logs/{log}"): (f"/v1/logs/{LOG}", None),
    ("GET", "/v1/logs/{log}/subjects"): (f"/v1/logs/{LOG}/subjects", None),
    ("GET", "/v1/logs/{log}/subjects/{subject}"): (SUBJECT, None),
    ("GET", "/v1/logs/{log}/subjects/{subject}/pending"): (SUBJECT + "/pending", None),
    ("GET", "/v1/logs/{log}/subjects/{subject}/journal"): (SUBJECT + "/journal", None),
    ("GET", "/v1/logs/{log}/subjects/{subject}/why"): (SUBJECT + "/why?lang=zh", None),
    ("GET", "/v1/logs/{log}/subjects/{subject}/why-not"): (SUBJECT + "/why-not?kind=warning", None),
    ("GET", "/v1/logs/{log}/subjects/{subject}/remedies"): (SUBJECT + "/remedies?most=1", None),
    ("GET", "/v1/logs/{log}/events"): (f"/v1/logs/{LOG}/events", None),
    ("POST", "/v1/logs/{log}/activations"): (f"/v1/logs/{LOG}/activations", {"ruleset": POLICY}),
    ("GET", "/v1/logs/{log}/activations"): (f"/v1/logs/{LOG}/activations", None),
    ("GET", "/v1/logs/{log}/bundle"): (f"/v1/logs/{LOG}/bundle", None),
    ("GET", "/v1/rulesets"): ("/v1/rulesets", None),
    ("GET", "/v1/rulesets/{name}"): (f"/v1/rulesets/{POLICY}", None),
    ("POST", "/v1/rulesets/check"): ("/v1/rulesets/check", {"text": "ruleset: x\n"}),
    ("POST", "/v1/rulesets/diff"): ("/v1/rulesets/diff", {"before": POLICY, "after": "alibaba-1688"}),
    ("GET", "/v1/openapi.json"): ("/v1/openapi.json", None),
    ("GET", "/healthz"): ("/healthz", None),
    ("GET", "/readyz"): ("/readyz", None),
    ("GET", "/metrics"): ("/metrics", None),
}


def test_there_is_an_example_of_every_route() -> None:
    assert set(EXAMPLES) == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", [r for r in ROUTES if not r.streams], ids=lambda r: f"{r.method} {r.path}")
def test_every_route_answers_as_its_type_says(shared: Asked, route: Any) -> None:
    path, body = EXAMPLES[route.method, route.path]
    reply = shared(route.method, path, body)
    assert reply.status == route.status, reply.body.decode()
    assert reply.headers["x-request-id"]
    assert reply.headers["cache-control"] == "no-cache, private"
    if not isinstance(route.answer, str):
        msgspec.json.decode(reply.body, type=route.answer)
    if route.method == "GET":
        head = shared("HEAD", path)
        assert (head.status, head.body) == (reply.status, b"")
        stable = f"{path}{'&' if '?' in path else '?'}as_of=2015-01-06&known=2015-01-06" if "subject" in path else path
        again = shared("GET", stable)
        if route.path not in ("/metrics", "/healthz", "/readyz"):
            kept = shared("GET", stable, headers={"If-None-Match": f'"x", {again.headers["etag"]}'})
            assert (kept.status, kept.body) == (304, b"")


def test_what_is_not_there(shared: Asked) -> None:
    refused(shared("GET", "/"), "not-found")
    refused(shared("GET", "/v1/logs//facts"), "not-found")
    problem = refused(shared("GET", "/v1/logs/counterfiet"), "no-such-log")
    assert "did you mean `counterfeit`" in problem.detail
    reply = shared("DELETE", "/v1/logs/counterfeit/facts")
    refused(reply, "method")
    assert reply.headers["allow"] == "GET, HEAD, POST"
    refused(shared("GET", f"{SUBJECT}?asof=2015-01-05"), "bad-request")
    refused(shared("GET", f"{SUBJECT}?as_of=2015-01-05&as_of=2015-01-05"), "bad-request")
    refused(shared("GET", f"{SUBJECT}?as_of=yesterday"), "bad-request")
    refused(shared("GET", f"{SUBJECT}?as_of=%ff"), "bad-request")
    refused(shared("GET", f"{SUBJECT}/why?lang=fr"), "bad-request")
    refused(shared("GET", f"{SUBJECT}/why-not"), "bad-request")
    refused(shared("GET", f"{SUBJECT}/remedies?most=9"), "bad-request")
    refused(shared("GET", f"/v1/logs/{LOG}/subjects?limit=0"), "bad-request")
    refused(shared("GET", f"/v1/logs/{LOG}/subjects/%ff"), "bad-request")
    refused(shared("GET", f"/v1/logs/{LOG}/subjects/a%00b"), "bad-request")
    refused(shared("GET", f"/v1/logs/{LOG}/subjects/" + "x" * 10_001), "bad-request")
    refused(shared("GET", f"{SUBJECT}/why?fact=strike@2001-01-01"), "no-such-fact")
    assert "did you mean" in refused(shared("GET", f"{SUBJECT}/why?fact=strikes"), "run").detail
    refused(shared("GET", of(LOG, "nobody", "/why")), "no-such-subject")
    refused(shared("GET", f"{SUBJECT}?as_of=2001-01-01"), "not-in-force")
    refused(shared("POST", f"/v1/logs/{LOG}"), "exists")
    refused(shared("POST", "/v1/logs/No%20Name"), "bad-request")
    refused(shared("GET", "/v1/rulesets/taobao-counterfiet"), "no-such-ruleset")
    refused(shared("GET", "/v1/rulesets/" + "0" * 64), "no-such-ruleset")
    refused(shared("GET", "/v1/rulesets/..%2F..%2Fetc"), "no-such-ruleset")


def test_an_unknown_status_is_refused_before_the_subject_is_read(log: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its facts may be many; which statuses there are, the ruleset in force at the instant asked about says."""
    found = done(log("GET", f"{SUBJECT}/remedies?most=1&status=closure"))
    assert found["remedies"]["wanted"] == "closure"
    refused(log("GET", f"{SUBJECT}/remedies?status=closure&as_of=2010-01-01"), "not-in-force")
    monkeypatch.setattr(log.service.core.decider, "read", lambda *_: pytest.fail("the facts were read"))
    reply = log("GET", f"{SUBJECT}/remedies?status=closur")
    refused(reply, "run")
    assert reply.status == 422
    assert reply.json["detail"] == "`closur` is no status of `taobao-counterfeit`; did you mean `closure`?"


def test_a_log_without_a_ruleset_in_force_takes_and_decides_nothing(ask: Asked) -> None:
    done(ask("POST", f"/v1/logs/{LOG}"), 201)
    fact = {"key": "k", "fact": upheld("s", 1, "2015-01-05")}
    refused(ask("POST", f"/v1/logs/{LOG}/facts", fact), "not-in-force")
    refused(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"}), "not-in-force")
    assert done(ask("GET", f"/v1/logs/{LOG}"))["position"] == 0


# Subjects are any text.


@pytest.mark.parametrize("subject", STRANGE)
def test_a_subject_is_any_text(shared: Asked, subject: str) -> None:
    fact = upheld(subject, 1, "2015-01-05T07:00")
    done(shared("POST", f"/v1/logs/{LOG}/facts", {"key": f"strange {subject}", "fact": fact}), 201)
    standing = done(shared("GET", of(LOG, subject)))
    assert (standing["subject"], standing["counts"]) == (subject, {"violation": 1, "strike": 1, "points": 1})
    for rest in ("/pending", "/journal", "/why", "/why-not?kind=closure", "/remedies"):
        assert done(shared("GET", of(LOG, subject, rest)))["subject"] == subject
    assert subject in done(shared("GET", f"/v1/logs/{LOG}/subjects"))["subjects"]
    assert done(shared("POST", f"/v1/logs/{LOG}/decide", {"subject": subject}))["facts"][0]["seller"] == subject


def test_a_subject_of_which_nothing_is_known_is_in_good_standing(shared: Asked) -> None:
    decided = done(shared("POST", f"/v1/logs/{LOG}/decide", {"subject": "nobody"}))
    assert (decided["status"], decided["facts"], decided["counts"]["given"]) == ("good-standing", [], 0)
    assert done(shared("GET", of(LOG, "nobody", "/journal")))["journal"] == []


# Appending.


def test_a_batch_is_taken_whole_or_not_at_all(log: Asked) -> None:
    path = f"/v1/logs/{LOG}/facts"
    good = {"key": "g", "fact": upheld("s", 1, "2015-01-05")}
    bad = {"key": "b", "fact": upheld("s", 2, "2015-01-05", finding="counterfiet")}
    worse = {"key": "w", "fact": {**upheld("s", 2, "2015-01-05"), "known_at": "2015-01-01"}}
    problem = refused(log("POST", path, [good, bad, good, worse]), "facts")
    assert [(fault.index, fault.pointer) for fault in problem.errors] == [(1, "/1/fact/finding"), (3, "/3/fact")]
    assert "did you mean `counterfeit`" in problem.errors[0].detail
    clash = {"key": "k0", "fact": upheld("s", 9, "2015-01-05")}
    problem = refused(log("POST", path, [good, clash]), "conflict")
    assert problem.errors[0].index == 1
    assert done(log("GET", of(LOG, "s")))["counts"] == {}
    first = done(log("POST", path, good), 201)["receipts"][0]
    again = done(log("POST", path, [good, good]))["receipts"]
    assert [{**receipt, "duplicate": False} for receipt in again] == [first, first]
    assert all(receipt["duplicate"] for receipt in again)


def test_lines_and_arrays_and_single_facts_are_the_same(log: Asked) -> None:
    path = f"/v1/logs/{LOG}/facts"
    facts = [{"key": f"l{n}", "fact": upheld("s", n, "2015-01-05")} for n in range(3)]
    text = "\n\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts)
    first = done(log("POST", path, b"\xef\xbb\xbf" + text.encode(), kind=LINES), 201)["receipts"]
    assert len({receipt["known_at"] for receipt in first}) == 1
    again = done(log("POST", path, facts))["receipts"]
    single = []
    for fact in facts:
        headers = {"Idempotency-Key": str(fact["key"])}
        single += done(log("POST", path, {"fact": fact["fact"]}, headers))["receipts"]
    assert [r["hash"] for r in first] == [r["hash"] for r in again] == [r["hash"] for r in single]
    refused(log("POST", path, facts, {"Idempotency-Key": "x"}), "bad-request")
    refused(log("POST", path, {"fact": facts[0]["fact"]}), "invalid")
    refused(log("POST", path, {"key": "a", "fact": facts[0]["fact"]}, {"Idempotency-Key": "b"}), "bad-request")
    refused(log("POST", path, b'{"key": "a"\n}', kind=LINES), "bad-body")
    assert done(log("POST", path, []))["receipts"] == []


def test_the_export_leads_on_to_its_end(log: Asked) -> None:
    seen, path = [], f"/v1/logs/{LOG}/facts?limit=2"
    while path:
        reply = log("GET", path)
        seen += [msgspec.json.decode(line, type=types.LoggedFact) for line in reply.body.splitlines()]
        path = reply.headers.get("link", "").partition(">")[0].lstrip("<")
    assert [record.position for record in seen] == [1, 2, 3, 4, 5]
    assert [record.previous for record in seen[1:]] == [record.hash for record in seen[:-1]]
    whole = log("GET", f"/v1/logs/{LOG}/facts")
    same = log("GET", f"/v1/logs/{LOG}/facts", headers={"If-None-Match": whole.headers["etag"]})
    assert same.status == 304
    done(log("POST", f"/v1/logs/{LOG}/facts", {"key": "z", "fact": upheld("z", 1, "2015-01-05")}), 201)
    assert log("GET", f"/v1/logs/{LOG}/facts", headers={"If-None-Match": whole.headers["etag"]}).status == 200


def test_subjects_are_given_page_by_page(log: Asked) -> None:
    rows = [{"key": f"p{n}", "fact": upheld(f"s/{n}", n, "2015-01-05")} for n in range(5)]
    done(log("POST", f"/v1/logs/{LOG}/facts", rows), 201)
    seen: list[str] = []
    path = f"/v1/logs/{LOG}/subjects?limit=2"
    while path:
        reply = log("GET", path)
        seen += reply.json["subjects"]
        path = reply.headers.get("link", "").partition(">")[0].lstrip("<")
    assert seen == sorted(["xiaoming", *(f"s/{n}" for n in range(5))])


# Decisions.


def histories(chance: random.Random, sellers: int, number: int) -> list[dict[str, Any]]:
    """Complaints, some of them withdrawn, in an order drawn by chance."""
    rows: list[dict[str, Any]] = []
    for complaint in range(number):
        day = f"2014-{chance.randrange(10, 13)}-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:30"
        seller = f"s{chance.randrange(sellers)}"
        level = chance.choice(("information", "confirmed"))
        rows.append(upheld(seller, complaint, day, level=level, right=f"r{chance.randrange(2)}"))
        if chance.random() < 0.25:
            rows.append({"kind": "withdrawal", "at": "2015-01-02", "seller": seller, "complaint": f"c{complaint}"})
        if chance.random() < 0.1:
            rows.append(rows[-1])
    chance.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_the_command_line_gives_the_same_bytes(ask: Asked, clock: Clock, tmp_path: Path, seed: int) -> None:
    begin(ask)
    chance = random.Random(seed)
    rows = histories(chance, 5, 60)
    for number, row in enumerate(rows):
        clock.now += chance.randrange(0, 200_000)
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}), 201)
    clock.now += DAY
    subjects = done(ask("GET", f"/v1/logs/{LOG}/subjects"))["subjects"]
    decided = [ask("POST", f"/v1/logs/{LOG}/decide", {"subject": subject}) for subject in subjects]
    instants = {reply.json["as_of"] for reply in decided}
    assert len(instants) == 1
    lines = b"".join(
        b", ".join(reply.body.partition(b'"facts":[')[2].partition(b'],"pending"')[:1]) for reply in decided
    )
    exported = tmp_path / "facts.jsonl"
    exported.write_bytes(ask("GET", f"/v1/logs/{LOG}/facts?format=rows").body)
    arguments = ["run", POLICY, str(exported), "--as-of", instants.pop(), "--engine", "compiled", "--format", "jsonl"]
    run = CliRunner().invoke(commands, arguments)
    assert run.exit_code == 0, run.stderr
    printed = run.stdout_bytes.splitlines()
    assert len(printed) > 20
    assert lines.replace(b"}{", b"}, {") == b", ".join(printed)
    given = sum(reply.json["counts"]["given"] for reply in decided)
    assert given == len(rows)
    for reply in decided:
        counts = reply.json["counts"]
        assert counts["given"] == sum(number for name, number in counts.items() if name != "given")


def test_a_past_decision_is_repeated_to_the_byte(database: Database, loop: Loop, clock: Clock) -> None:
    """Whatever was appended and activated since, by a service that has just begun, and by one that has seen it all."""
    chance = random.Random(1)
    with asked(database, loop) as ask, asked(database, loop) as other:
        begin(ask)
        told: list[tuple[str, bytes]] = []
        for number, row in enumerate(histories(chance, 3, 40)):
            clock.now += chance.choice((1, 150_000, DAY // 4))
            done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}), 201)
            if number % 10 == 5:
                other_limit = {"ruleset": POLICY, "set": {"strike_limit": 2 + number // 10}, "from": "2014-12-20"}
                done(ask("POST", f"/v1/logs/{LOG}/activations", other_limit), 201)
            subject = f"s{chance.randrange(3)}"
            reply = chance.choice((ask, other))("POST", f"/v1/logs/{LOG}/decide", {"subject": subject})
            done(reply)
            told.append((subject, reply.body))
        assert len({json.loads(body)["ruleset"]["hash"] for _, body in told}) > 3
        with asked(database, loop, dataclasses.replace(QUICK, cached_facts=0)) as third:
            for subject, body in told:
                first = json.loads(body)
                asking = {"subject": subject, "as_of": first["as_of"], "known": first["known"]}
                for again in (ask, other, third):
                    assert again("POST", f"/v1/logs/{LOG}/decide", asking).body == body


@pytest.mark.parametrize("short", [SHORT, 3])
def test_what_is_kept_never_differs_from_the_log(
    database: Database, loop: Loop, clock: Clock, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlines fall due, facts come late and for later, voids come and go: what is kept is what is read anew.

    So it is where every run goes on from where it was, too, which those of long histories do.
    """
    monkeypatch.setattr(histories_module, "SHORT", short)
    chance = random.Random(2)
    with (
        asked(database, loop) as ask,
        asked(database, loop, dataclasses.replace(QUICK, cached_facts=0)) as anew,
    ):
        begin(ask, "taobao-counterfeit-full")
        rows: list[dict[str, Any]] = []
        for number in range(60):
            clock.now += chance.choice((1, 200_000, DAY // 3, DAY))
            zone = strikeout.load(POLICY).model.zone
            at = zone.format(clock.now - chance.choice((0, 0, DAY, -DAY)))
            notice = {k: v for k, v in upheld("s", number, at).items() if k != "finding"}
            row: dict[str, Any] = {**notice, "kind": "notice", "claim": "counterfeit"}
            if number and chance.random() < 0.4:
                kind = chance.choice(("counter_notice", "withdrawal", "reversal"))
                row = {"kind": kind, "at": at, "seller": "s", "complaint": f"c{chance.randrange(number)}"}
            rows.append(row)
            if number % 7 == 6:  # One that is there already, and may be of before.
                row = chance.choice(rows)
            done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}), 201)
            for _ in range(chance.randrange(3)):
                found = done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"}))
                asking = {"subject": "s", "as_of": found["as_of"], "known": found["known"]}
                assert done(anew("POST", f"/v1/logs/{LOG}/decide", asking)) == found
                clock.now += chance.choice((1, 150_000, DAY))
        assert ask.service.core.histories.reused > 5
        last = done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"}))
        assert any(conclusion["kind"] == "upheld" for conclusion in last["facts"])
        assert done(ask("GET", of(LOG, "s")))["counts"] == Counter(fact["kind"] for fact in last["facts"])
        kept = ask.service.core.histories.kept(LOG, last["ruleset"]["hash"], "s")
        assert (kept.running is not None) == (short < SHORT)


@pytest.fixture(scope="module")
def postgres() -> Iterator[postgresql_server.Server]:
    reason = postgresql_server.missing()
    if reason and not postgresql_server.NEEDED:
        pytest.skip(reason)
    server = postgresql_server.Server()
    yield server
    server.close()


def test_postgresql_answers_as_sqlite_does(postgres: postgresql_server.Server, loop: Loop, tmp_path: Path) -> None:
    """To the byte, hashes and instants too: the same was asked at the same times."""
    answers = []
    for url in (str(tmp_path / "log.db"), postgres.url()):
        clock, chance = Clock(), random.Random(3)
        with open_database(url, clock=clock) as database, asked(database, loop) as ask:
            begin(ask)
            found = []
            for number, row in enumerate([*histories(chance, 3, 15), *(upheld(s, 1, "2015-01-02") for s in STRANGE)]):
                clock.now += chance.choice((1, 150_000, DAY))
                found.append(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}))
                found.append(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": row["seller"]}))
            clash = {"key": "k0", "fact": upheld("s", 99, "2015-01-05")}
            found.append(ask("POST", f"/v1/logs/{LOG}/facts", [clash]))
            found += [ask("GET", f"/v1/logs/{LOG}/{rest}") for rest in ("facts", "subjects", "activations")]
            found += [ask("GET", of(LOG, "s1", rest)) for rest in ("/journal", "/why", "/remedies")]
            told = ask.events(f"/v1/logs/{LOG}/events", 8, last="1.1")
        answers.append(([(reply.status, _without_request(reply)) for reply in found], told))
    assert answers[0] == answers[1]
    assert {status for status, _ in answers[0][0]} == {200, 201, 409}


def _without_request(reply: Reply) -> Any:
    return {**reply.json, "request": ""} if reply.status >= 400 else reply.body


def test_facts_given_inline_are_decided_and_not_kept(shared: Asked) -> None:
    facts = [upheld("new", n, f"2014-12-0{n}") for n in (1, 5, 9)]
    decided = done(shared("POST", f"/v1/logs/{LOG}/decide", {"facts": facts, "as_of": "2015-01-01"}))
    outcome = strikeout.load(POLICY).run(facts, as_of="2015-01-01", engine="compiled")
    assert decided["facts"] == [dict(conclusion) for conclusion in outcome.facts]
    assert decided["subject"] == "new"
    assert "new" not in done(shared("GET", f"/v1/logs/{LOG}/subjects"))["subjects"]
    nameless = [{name: value for name, value in fact.items() if name != "seller"} for fact in facts]
    named = done(shared("POST", f"/v1/logs/{LOG}/decide", {"subject": "new", "facts": nameless, "as_of": "2015-01-01"}))
    assert named["facts"] == decided["facts"]
    both = [*facts, upheld("other", 1, "2014-12-01")]
    refused(shared("POST", f"/v1/logs/{LOG}/decide", {"facts": both}), "facts")
    refused(shared("POST", f"/v1/logs/{LOG}/decide", {"facts": []}), "invalid")
    refused(shared("POST", f"/v1/logs/{LOG}/decide", {}), "invalid")
    problem = refused(shared("POST", f"/v1/logs/{LOG}/decide", {"facts": [upheld("s", 1, "soon")]}), "facts")
    assert problem.errors[0].pointer == "/facts/0/at"


def test_what_if(shared: Asked) -> None:
    supposed = {"add": [upheld("xiaoming", 9, "2015-01-04T12:00", right="third")], "set": {"strike_limit": 1}}
    decided = done(shared("POST", f"/v1/logs/{LOG}/decide", {"subject": "xiaoming", "what_if": supposed}))
    assert decided["status"] == "good-standing"
    (changed,) = decided["what_if"]["changed"]
    assert changed["after"]["status"] == "closure"
    missing = {"subject": "xiaoming", "what_if": {"remove": [{"complaint": "c99"}]}}
    refused(shared("POST", f"/v1/logs/{LOG}/decide", missing), "run")
    unknown = {"subject": "xiaoming", "what_if": {"set": {"strike_limt": 1}}}
    problem = refused(shared("POST", f"/v1/logs/{LOG}/decide", unknown), "ruleset")
    assert problem.errors[0].code


def test_a_rejected_run_says_rule_and_place(ask: Asked) -> None:
    text = """ruleset: beyond
version: 2015-01-01
subject: seller
timezone: Asia/Shanghai
facts:
  act: {input: true, fields: {weight: integer}}
  sum: {fields: {total: integer}}
rules:
  adding:
    when: act
    then: {sum: {total: sum(act.weight)}}
"""
    done(ask("POST", "/v1/logs/l"), 201)
    done(ask("POST", "/v1/logs/l/activations", {"text": text, "from": "2015-01-01"}), 201)
    for number in range(2):
        row = {"kind": "act", "at": "2015-01-05", "seq": number, "seller": "s", "weight": 2**63 - 1}
        done(ask("POST", "/v1/logs/l/facts", {"key": f"k{number}", "fact": row}), 201)
    for reply in (
        ask("POST", "/v1/logs/l/decide", {"subject": "s"}),
        ask("GET", of("l", "s")),
        ask("GET", of("l", "s", "/why")),
    ):
        problem = refused(reply, "rejected")
        (fault,) = problem.errors
        assert (fault.code, fault.file, fault.line) == ("overflow", "ruleset.yaml", 11)
    assert done(ask("GET", of("l", "s", "/journal")))["subject"] == "s"


# Rulesets.


def test_a_ruleset_in_force_is_the_one_of_its_time(log: Asked, clock: Clock) -> None:
    before = done(log("POST", f"/v1/logs/{LOG}/decide", {"subject": "xiaoming"}))
    assert before["status"] == "good-standing"
    clock.now += DAY
    stricter = {"ruleset": POLICY, "set": {"strike_limit": 2}, "from": "2015-01-05"}
    made = done(log("POST", f"/v1/logs/{LOG}/activations", stricter, {"Idempotency-Key": "a"}), 201)
    again = done(log("POST", f"/v1/logs/{LOG}/activations", stricter, {"Idempotency-Key": "a"}))
    assert again == made
    clock.now += DAY
    after = done(log("POST", f"/v1/logs/{LOG}/decide", {"subject": "xiaoming"}))
    assert after["ruleset"] == made["ruleset"]
    asking = {"subject": "xiaoming", "as_of": before["as_of"]}
    assert done(log("POST", f"/v1/logs/{LOG}/decide", asking))["ruleset"] == made["ruleset"]
    asking["known"] = before["known"]
    assert done(log("POST", f"/v1/logs/{LOG}/decide", asking)) == before
    assert (
        done(log("POST", f"/v1/logs/{LOG}/decide", {**asking, "as_of": "2015-01-04T12:00"}))["ruleset"]
        == before["ruleset"]
    )
    shown = done(log("GET", f"/v1/rulesets/{made['ruleset']['hash']}"))
    assert shown["hash"] == made["ruleset"]["hash"]
    listed = done(log("GET", f"/v1/logs/{LOG}/activations"))["activations"]
    assert [activation["position"] for activation in listed] == [1, made["position"]]


def test_a_ruleset_that_would_refuse_facts_is_refused(shared: Asked) -> None:
    other = {"ruleset": "github-takedowns"}
    names = [info["name"] for info in done(shared("GET", "/v1/rulesets"))["rulesets"]]
    other["ruleset"] = next(name for name in names if "github" in name)
    problem = refused(shared("POST", f"/v1/logs/{LOG}/activations", other), "incompatible")
    assert problem.errors
    refused(shared("POST", f"/v1/logs/{LOG}/activations", {}), "invalid")
    refused(shared("POST", f"/v1/logs/{LOG}/activations", {"ruleset": "nothing"}), "no-such-ruleset")
    broken = {"text": "ruleset: x\nfoo: 1\n"}
    problem = refused(shared("POST", f"/v1/logs/{LOG}/activations", broken), "ruleset")
    place = next(fault for fault in problem.errors if fault.code == "unknown-key")
    assert (place.file, place.line, place.column) == ("ruleset.yaml", 2, 1)


def test_rulesets_of_a_folder_go_before_those_that_ship(database: Database, loop: Loop, tmp_path: Path) -> None:
    folder = tmp_path / "rulesets"
    folder.mkdir()
    (folder / "mine.yaml").write_text("ruleset: mine\nversion: 2016-01-01\nextends: taobao-counterfeit\n")
    (folder / "broken.yaml").write_text("ruleset: broken\n")
    with asked(database, loop, rulesets=folder) as ask:
        found = {info["name"]: info for info in done(ask("GET", "/v1/rulesets"))["rulesets"]}
        assert found["mine"]["version"] == "2016-01-01"
        assert found["broken"]["problems"] > 0
        assert found[POLICY]["problems"] == 0
        first = found["mine"]["hash"]
        (folder / "mine.yaml").write_text("ruleset: mine\nversion: 2016-01-02\nextends: taobao-counterfeit\n")
        assert done(ask("GET", "/v1/rulesets/mine"))["hash"] != first
        difference = done(ask("POST", "/v1/rulesets/diff", {"before": POLICY, "after": "mine"}))
        assert difference["difference"]["after"]["ruleset"] == "mine"
        problem = refused(ask("GET", "/v1/rulesets/broken"), "ruleset")
        assert str(tmp_path) not in str(problem)


# The journal and its events.


def folded(lines: list[dict[str, Any]]) -> list[str]:
    standing: list[str] = []
    for line in lines:
        text = json.dumps(line["fact"], sort_keys=True)
        if line["sign"] == "+":
            standing.append(text)
        else:
            standing.remove(text)
    return sorted(standing)


def whole_journal(ask: Asked, subject: str, limit: int = 1000) -> list[dict[str, Any]]:
    lines, path = [], of(LOG, subject, f"/journal?limit={limit}")
    while path:
        reply = ask("GET", path)
        lines += done(reply)["journal"]
        path = reply.headers.get("link", "").partition(">")[0].lstrip("<")
    return lines


@pytest.mark.parametrize(("seed", "short"), [(0, SHORT), (0, 3), (1, SHORT), (2, 3)])
def test_folding_the_journal_gives_the_decisions(
    ask: Asked, clock: Clock, seed: int, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every instant: over changes of the ruleset, late facts, voids and deadlines; and so do the events.

    Runs of histories that are not short go on, for who follows as for decisions.
    """
    for module in (histories_module, journals_module):
        monkeypatch.setattr(module, "SHORT", short)
    chance = random.Random(seed)
    begin(ask, "taobao-counterfeit-full")
    core = ask.service.core
    followers = [
        Follower(core.decider.log(LOG), core.shelf, core.histories, Watches(), core.ongoing, subject, lambda: None)
        for subject in ("s", None)
    ]
    followed: list[list[Any]] = [[] for _ in followers]
    for follower in followers:
        follower.begin("1.1")
    decisions: list[dict[str, Any]] = []
    zone = strikeout.load(POLICY).model.zone
    for number in range(25):
        clock.now += chance.choice((1, 200_000, DAY, 2 * DAY))
        at = zone.format(clock.now - chance.choice((0, 0, DAY, 2 * DAY, -DAY)))
        row: dict[str, Any] = {**upheld("s", number, at, right=f"r{chance.randrange(2)}")}
        if chance.random() < 0.4:
            del row["finding"]
            row |= {"kind": "notice", "claim": "counterfeit"}
        if number and chance.random() < 0.2:
            row = {"kind": "withdrawal", "at": at, "seller": "s", "complaint": f"c{chance.randrange(number)}"}
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}), 201)
        if number in (8, 16):
            start = zone.format(clock.now + chance.choice((-DAY, 0, DAY)))
            body = {"ruleset": "taobao-counterfeit-full", "set": {"strike_limit": 2 + number // 8}, "from": start}
            done(ask("POST", f"/v1/logs/{LOG}/activations", body), 201)
        decisions.append(done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"})))
        if number % 3:
            for told_of, follower in zip(followed, followers, strict=True):
                told_of += follower.look()
    clock.now += 30 * DAY
    decisions.append(done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"})))
    lines = whole_journal(ask, "s")
    assert whole_journal(ask, "s", 3) == lines
    instant = zone.parse
    for decided in decisions:
        until = instant(decided["as_of"])
        wanted = sorted(json.dumps(fact, sort_keys=True) for fact in decided["facts"])
        assert folded([line for line in lines if instant(line["at"]) <= until]) == wanted
    told = ask.events(f"/v1/logs/{LOG}/events?subject=s", len(lines), last="1.1")
    assert [(e["at"], e["sign"], e["fact"]) for _, e in told] == [(li["at"], li["sign"], li["fact"]) for li in lines]
    everybody = ask.events(f"/v1/logs/{LOG}/events", len(lines), last="1.1")
    assert everybody == told
    for told_of, follower in zip(followed, followers, strict=True):
        told_of += follower.look()
        assert [(id_, msgspec.to_builtins(event)) for id_, event in told_of] == told
    for place in chance.sample(range(len(told)), min(6, len(told))):
        for path in (f"/v1/logs/{LOG}/events?subject=s", f"/v1/logs/{LOG}/events"):
            assert ask.events(path, len(told) - place - 1, last=told[place][0]) == told[place + 1 :]


def test_what_was_reported_ahead_of_time_is_told_when_it_happens(ask: Asked, clock: Clock) -> None:
    """Also under a ruleset that schedules nothing, to one who began to follow in between."""
    begin(ask)
    zone = strikeout.load(POLICY).model.zone
    for subject, at in (("early", clock.now + 2 * DAY), ("s", clock.now - DAY), ("t", clock.now - DAY)):
        fact = upheld(subject, 1, zone.format(at))
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": subject, "fact": fact}), 201)
    clock.now += DAY
    core = ask.service.core
    follower = Follower(core.decider.log(LOG), core.shelf, core.histories, Watches(), core.ongoing, None, lambda: None)
    follower.begin(None)
    assert follower.look() == []
    clock.now += 2 * DAY
    assert {event.subject for _, event in follower.look()} == {"early"}


def test_events_come_as_things_happen(ask: Asked, clock: Clock) -> None:
    begin(ask, "alibaba-procedure")
    core = ask.service.core
    path = f"/v1/logs/{LOG}/events"
    found: list[tuple[str, Any]] = []
    follower = threading.Thread(target=lambda: found.extend(ask.events(path, 2)))
    follower.start()
    until(lambda: core.streams == 1)
    notice = {**upheld("s", 1, "2015-01-05T07:00"), "kind": "notice", "claim": "counterfeit"}
    del notice["finding"]
    until(lambda: core.watches.newest(LOG, clock.now + DAY) is not None)
    clock.now += 200_000
    done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": "k", "fact": notice}), 201)
    assert done(ask("GET", of(LOG, "s", "/pending")))["pending"]
    clock.now += 10 * DAY
    follower.join(30)
    assert [(event["sign"], event["fact"]["kind"]) for _, event in found[:2]] == [
        ("+", "counter_notice_due"),
        ("+", "upheld"),
    ]
    assert found[0][1]["at"] == "2015-01-09T00:00:00+08:00"
    refused(ask("GET", path, headers={"Last-Event-ID": "soon"}), "bad-request")
    refused(ask("GET", path, headers={"Last-Event-ID": f"{clock.now + DAY}.1"}), "clock")
    refused(ask("GET", "/v1/logs/none/events"), "no-such-log")
    until(lambda: core.streams == 0)


# Who may do what.


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[tuple[Asked, dict[str, str]]]:
    """A service with a key for each scope, and one that was revoked."""
    path = tmp_path_factory.mktemp("keyed") / "log.db"
    with open_database(str(path), clock=Clock()) as database, asked(database, loop) as ask:
        filled(ask)
        made = {scope: new_key() for scope in SCOPES}
        for scope, key in made.items():
            database.keys.add(digest(key), [scope], f"{scope}-key")
        made["revoked"] = new_key()
        database.keys.add(digest(made["revoked"]), SCOPES, "revoked")
        database.keys.revoke("revoked")
        ask.service.door._open = (-10.0, True)  # As if some seconds had gone by.
        yield ask, made


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_each_scope_opens_its_routes_and_no_other(keyed: tuple[Asked, dict[str, str]], route: Any) -> None:
    log, keys = keyed
    path, body = EXAMPLES[route.method, route.path]
    if route.streams:
        path += "?subject=" + "x" * 10_001  # Refused behind the door.
    for name, key in {**keys, "unknown": new_key(), "none": "", "empty": " "}.items():
        log.key = key
        reply = log(route.method, path, body)
        if not route.scope or name == route.scope:
            assert reply.status not in (401, 403), (name, reply)
            assert reply.status in (route.status, 200) or route.streams
        elif name in SCOPES:
            refused(reply, "scope")
        else:
            refused(reply, "no-key" if name in ("none", "empty") else "bad-key")
            assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_key_that_is_revoked_opens_nothing_soon(keyed: tuple[Asked, dict[str, str]]) -> None:
    log, keys = keyed
    log.key = keys["read"]
    done(log("GET", SUBJECT))
    log.service.core.database.keys.revoke("read-key")
    log.service.door._clock = lambda: 1e9
    refused(log("GET", SUBJECT), "bad-key")


def test_only_this_machine_reaches_a_service_without_keys(database: Database) -> None:
    check_host("127.0.0.1", database.keys)
    check_host("::1", database.keys)
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.org"):
        with pytest.raises(RunError, match="no key"):
            check_host(host, database.keys)
    key = new_key()
    database.keys.add(digest(key), ["read"], "r")
    check_host("0.0.0.0", database.keys)
    database.keys.revoke("r")
    with pytest.raises(RunError, match="no key"):
        check_host("0.0.0.0", database.keys)


def test_keys_from_the_command_line(tmp_path: Path) -> None:
    url = str(tmp_path / "keys.db")
    runner = CliRunner()
    made = runner.invoke(commands, ["key", "new", "--db", url, "--scope", "read", "--scope", "append", "--name", "a b"])
    key = made.stdout.strip()
    assert key.startswith("so_")
    assert len(key) > 40
    listed = runner.invoke(commands, ["key", "list", "--db", url]).stdout
    assert "a b  read,append" in listed
    assert key not in listed
    assert key.encode() not in Path(url).read_bytes()
    with open_database(url) as database:
        found = database.keys.find(digest(key))
        assert found is not None
        assert found.revoked_at is None
    assert "revoked" in runner.invoke(commands, ["key", "revoke", "--db", url, "a b"]).stdout
    assert runner.invoke(commands, ["key", "revoke", "--db", url, "c"]).exception is not None


# Limits.


def test_a_key_that_is_used_too_often_waits(database: Database, loop: Loop) -> None:
    with asked(database, loop, dataclasses.replace(QUICK, rate=0.001, burst=3.0)) as ask:
        replies = [ask("GET", "/v1/logs") for _ in range(5)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
        refused(replies[-1], "rate")
        assert int(replies[-1].headers["retry-after"]) > 100
        done(ask("GET", "/healthz"))


def test_bodies_have_an_end(database: Database, loop: Loop) -> None:
    limits = dataclasses.replace(QUICK, body=2_000, body_seconds=0.2, facts=3)
    with asked(database, loop, limits) as ask:
        begin(ask)
        path = f"/v1/logs/{LOG}/facts"
        reply = ask("POST", path, None, {"Content-Length": "5000"})
        refused(reply, "too-large")
        assert reply.headers["connection"] == "close"
        refused(ask.parts("POST", path, [b"[" + b" " * 500] * 100), "too-large")
        refused(ask.parts("POST", path, None, {"transfer-encoding": "chunked"}), "too-slow")
        many = [{"key": f"k{n}", "fact": {"kind": "withdrawal"}} for n in range(4)]
        refused(ask("POST", path, many), "too-large")
        refused(ask("POST", path, b"{}", kind="text/csv"), "media-type")
        refused(ask("POST", "/v1/rulesets/check", {"text": "x: " + "y" * 3000}), "too-large")


def test_what_takes_too_long_is_left_off(log: Asked) -> None:
    core = log.service.core
    core.limits = dataclasses.replace(core.limits, seconds=-0.5)
    log.service.limits = core.limits
    refused(log("GET", SUBJECT), "overloaded")


def test_more_than_can_be_done_is_refused(log: Asked) -> None:
    queue = log.service.core.queues["decide"]
    queue.length = queue.most
    reply = log("GET", SUBJECT)
    refused(reply, "overloaded")
    assert reply.headers["retry-after"] == "1"
    ready = log("GET", "/readyz")
    assert (ready.status, ready.json["checks"]["queues"]) == (503, "full")
    queue.length = 0
    done(log("GET", SUBJECT))


def test_a_database_that_is_gone_is_no_fault_of_the_client(log: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise DatabaseUnavailable("the database is busy")

    monkeypatch.setattr(log.service.core.database, "log", gone)
    reply = log("GET", SUBJECT)
    assert refused(reply, "database").detail == "the database is busy"
    assert reply.headers["retry-after"]


def test_a_fault_of_the_service_shows_nothing_of_itself(database: Database, loop: Loop) -> None:
    told = io.StringIO()
    with asked(database, loop, journal=Journal(told)) as ask:

        def broken(*_: object) -> None:
            raise ValueError("the secret of xiaoming")

        ask.service.core.database.logs = broken  # type: ignore[assignment, method-assign]
        reply = ask("GET", "/v1/logs")
        refused(reply, "unexpected")
        assert b"secret" not in reply.body
    assert "secret" not in told.getvalue()
    trouble = [line for line in map(json.loads, told.getvalue().splitlines()) if line["event"] == "trouble"]
    assert trouble[0]["error"] == "ValueError"
    assert "of_logs.py" in str(trouble[0]["trace"])


def test_no_line_holds_a_secret_or_a_body(database: Database, loop: Loop) -> None:
    told = io.StringIO()
    key, wrong = new_key(), new_key()
    database.keys.add(digest(key), SCOPES, "case-system")
    marked = "SUBJECT-OF-A-FACT"
    with asked(database, loop, journal=Journal(told)) as ask:
        ask.key = key
        begin(ask)
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": "k", "fact": upheld(marked, 1, "2015-01-05")}), 201)
        done(ask("GET", of(LOG, marked, "/why")))
        ask("POST", f"/v1/logs/{LOG}/facts", {"key": marked, "fact": upheld(marked, 1, marked)})
        ask("POST", f"/v1/logs/{LOG}/facts", f"{{{marked}".encode())
        ask("GET", f"/{marked}/{key}?{key}={marked}")
        ask("GET", f"/v1/logs/{LOG}/subjects?{key}={marked}")
        ask.key = wrong
        ask("GET", SUBJECT, headers={"Authorization": f"bearer {wrong}", "X-Other": key})
    text = told.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == 9
    assert {line.get("key") for line in lines} == {"case-system", None}
    for secret in (key, wrong, marked, key[3:20], "阿红"):
        assert secret not in text


# Bodies of every sort.

NASTY = [
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b"{",
    b"0",
    b"-",
    b'""',
    b"\xff\xfe{}",
    b"\x00",
    b"NaN",
    b'{"subject": NaN}',
    b'{"subject": Infinity}',
    b'{"subject": 1e999}',
    b'{"subject": ' + b"9" * 5_000 + b"}",
    b'{"subject": "a", "subject": "b"}',
    b'{"subject": "\\ud800"}',
    b'{"subject": "\\udfff\\ud800"}',
    b'{"subject": "a\\u0000b"}',
    b'{"subject": ""}',
    b'{"subject": "s", "as_of": "9999-12-31T23:59:59.999999"}',
    b'{"subject": "s", "as_of": "0001-01-01"}',
    b'{"subject": "s", "as_of": 5}',
    b'{"subject": "s", "known": "2015-02-30"}',
    b'{"subject": "s", "unknown": 1}',
    b'{"subject": "s", "what_if": {"set": {"strike_limit": "1; import os"}}}',
    b'{"subject": "s", "what_if": {"set": {"strike_limit": 99999999999999999999999}}}',
    b'{"facts": [{"kind": "upheld", "at": "2015-01-05", "seller": "\\u0000"}]}',
    b'{"facts": [{"kind": "upheld", "at": "2015-01-05", "seller": {"a": 1}}]}',
    b'{"facts": [{"kind": 1.5, "at": true}]}',
    b'{"key": "\\u0000", "fact": {"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": "c"}}',
    b'{"key": "k", "fact": {"kind": "withdrawal", "at": "2015-01-05", "seller": "s\\u0000", "complaint": "c"}}',
    b'{"key": "k", "fact": {"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": 1e400}}',
    b'{"key": "k", "fact": {"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": ' + b"7" * 99 + b"}}",
    b'{"key": "' + b"k" * 201 + b'", "fact": {}}',
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b"[" * 500 + b"]" * 500,
    b'{"subject":' + b"[" * 40 + b"]" * 40 + b"}",
    b'[{"key":"k","fact":' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}]",
    b'{"text": "ruleset: [' + b"[" * 50_000 + b'"}',
    b'{"text": "&a [*a]"}',
    b'{"text": "ruleset: \\ud800"}',
    b'{"text": "\\u0000"}',
    b'{"text": "", "name": "../../etc/passwd"}',
    b'{"before": "' + b"x" * 70_000 + b'", "after": "\\n"}',
    b'{"ruleset": "taobao-counterfeit", "from": "0000-01-01"}',
    b'{"ruleset": "taobao-counterfeit", "from": "2015-01-05", "set": {"": ""}}',
    b'{"ruleset": "taobao-counterfeit", "text": "x"}',
]
POSTS = [EXAMPLES[route.method, route.path][0] for route in ROUTES if route.method == "POST"]


def survives(ask: Asked, path: str, body: bytes, kind: str = "application/json") -> None:
    reply = ask("POST", path, body, kind=kind)
    assert reply.status < 500, (path, body[:200], reply.body)
    assert json.loads(reply.body) is not None
    if reply.status >= 400:
        problem = msgspec.json.decode(reply.body, type=types.Problem)
        assert problem.status == reply.status
        assert problem.detail[:1] != problem.detail[:1].upper() or not problem.detail[:1].isalpha()


@pytest.mark.parametrize("path", POSTS)
def test_no_body_brings_the_service_down(shared: Asked, path: str) -> None:
    for body in NASTY:
        survives(shared, path, body)
        survives(shared, path, body, LINES)
    done(shared("GET", SUBJECT))


TEXTS = st.one_of(
    st.sampled_from(
        ["", "s", "xiaoming", POLICY, "upheld", "withdrawal", "2015-01-05", "counterfeit", "72h", "\0", "9" * 30]
    ),
    st.text(max_size=12),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
NAMES = st.one_of(
    st.sampled_from(
        "subject facts as_of known what_if add remove set key fact kind at seller complaint complainant right finding "
        "base text name before after lang ruleset from seq known_at".split()
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=20,
)


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(POSTS),
    st.one_of(st.binary(max_size=60), VALUES.map(lambda v: json.dumps(v).encode())),
    st.booleans(),
)
def test_no_body_drawn_by_chance_brings_the_service_down(shared: Asked, path: str, body: bytes, lines: bool) -> None:
    survives(shared, path, body, LINES if lines else "application/json")


# The document.


def test_the_document_is_whole(ask: Asked) -> None:
    document = done(ask("GET", "/v1/openapi.json"))
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    for reference in set(_references(document)):
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference
    paths = {(method.upper(), path) for path, rows in document["paths"].items() for method in rows}
    assert paths == {(route.method, route.path) for route in ROUTES}
    identifiers = [row["operationId"] for rows in document["paths"].values() for row in rows.values()]
    assert len(set(identifiers)) == len(identifiers)
    assert "http://" not in text
    assert "cdn" not in text.lower()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inside in value.values():
            yield from _references(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _references(inside)


def test_metrics_count_what_was_done(log: Asked) -> None:
    done(log("POST", f"/v1/logs/{LOG}/decide", {"subject": "xiaoming"}))
    refused(log("GET", "/v1/logs/none"), "no-such-log")
    text = log("GET", "/metrics").body.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values["strikeout_facts_appended_total"] == "4"
    assert values["strikeout_decisions_total"] == "1"
    assert values['strikeout_refused_total{code="no-such-log"}'] == "1"
    assert values['strikeout_requests_total{route="/v1/logs/{log}/decide",method="POST",status="200"}'] == "1"
    assert values['strikeout_request_seconds_count{route="/v1/logs/{log}/decide"}'] == "1"
    assert "xiaoming" not in text


@pytest.mark.parametrize("short", [SHORT, 3])
def test_a_question_ahead_of_the_clock_disturbs_nobody(
    ask: Asked, clock: Clock, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept as of now stays, and goes on, whoever asks how things will stand."""
    monkeypatch.setattr(histories_module, "SHORT", short)
    begin(ask, "alibaba-procedure")
    zone = strikeout.load(POLICY).model.zone
    for number in range(8):
        notice = {**upheld("s", number, zone.format(clock.now)), "kind": "notice", "claim": "counterfeit"}
        del notice["finding"]
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": notice}), 201)
    asking = {"subject": "s"}
    now = done(ask("POST", f"/v1/logs/{LOG}/decide", asking))
    assert now["pending"]
    ahead = done(ask("POST", f"/v1/logs/{LOG}/decide", {**asking, "as_of": zone.format(clock.now + 900 * DAY)}))
    assert ahead["facts"]
    kept = ask.service.core.histories.kept(LOG, now["ruleset"]["hash"], "s")
    assert kept.last is not None
    assert kept.last.as_of < clock.now + DAY
    assert kept.running is None or kept.running.as_of < clock.now + DAY
    runs = ask.service.core.histories.runs
    assert done(ask("POST", f"/v1/logs/{LOG}/decide", asking))["facts"] == now["facts"]
    assert ask.service.core.histories.runs == runs


def test_what_streams_keep_has_one_bound(ask: Asked, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals_module, "SHORT", 3)
    begin(ask)
    zone = strikeout.load(POLICY).model.zone
    for number in range(6):
        for subject in ("s", "t"):
            fact = upheld(subject, number, zone.format(clock.now))
            done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"{subject}{number}", "fact": fact}), 201)
    core, ongoing = ask.service.core, journals_module.OngoingRuns(15)
    parts = core.decider.log(LOG), core.shelf, core.histories, Watches(), ongoing
    followers = [Follower(*parts, subject, lambda: None) for subject in ("s", "t", None)]
    for follower in followers:
        follower.begin("1.1")
        assert follower.look()
        assert ongoing._facts == sum(size for _, _, size in ongoing._kept.values()) <= 15
    assert len(ongoing._kept) == 2
    for follower in followers:
        follower.close()
    assert (ongoing._facts, len(ongoing._kept)) == (0, 0)


def test_what_is_short_pushes_nothing_long_out(database: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short history is soon read again, a long one is not; all that is kept has its bound."""
    monkeypatch.setattr(histories_module, "SHORT", 3)
    with asked(database, loop, dataclasses.replace(QUICK, cached_facts=60)) as ask:
        begin(ask)
        subjects = ["long", *(f"t{number}" for number in range(40))]
        rows = [
            upheld(subject, number, "2014-12-01")
            for subject in subjects
            for number in range(8 if subject == "long" else 2)
        ]
        body = [{"key": f"k{number}", "fact": row} for number, row in enumerate(rows)]
        done(ask("POST", f"/v1/logs/{LOG}/facts", body), 201)
        histories, hash_ = ask.service.core.histories, ""
        for subject in subjects:
            hash_ = done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": subject}))["ruleset"]["hash"]
            assert histories.facts <= 60
        assert histories.kept(LOG, hash_, "long").position > 0
        assert histories.kept(LOG, hash_, "t39").position > 0
        assert histories.kept(LOG, hash_, "t0").position == 0


def break_off(run: Undoable, facts: Sequence[Fact], *until: int) -> None:
    """Go on, and fail before that is noted."""
    run._go_on(facts, *until)
    raise ZeroDivisionError


def test_a_run_that_broke_off_is_made_anew(ask: Asked, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories_module, "SHORT", 3)
    begin(ask)
    asking = {"subject": "s"}
    decided: dict[str, Any] = {}
    for number in range(8):
        clock.now += DAY
        at = strikeout.load(POLICY).model.zone.format(clock.now)
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": upheld("s", number, at)}), 201)
        if number == 5:
            with monkeypatch.context() as broken:
                broken.setattr(Undoable, "go_on", break_off)
                assert ask("POST", f"/v1/logs/{LOG}/decide", asking).status == 500
        if number != 6:
            decided = done(ask("POST", f"/v1/logs/{LOG}/decide", asking))
            assert decided["counts"]["used"] == number + 1
    ask.service.core.histories.drop()
    again = {**asking, "as_of": decided["as_of"], "known": decided["known"]}
    assert done(ask("POST", f"/v1/logs/{LOG}/decide", again)) == decided


def test_a_quick_answer_is_the_one_that_is_read_at_length(ask: Asked, clock: Clock) -> None:
    begin(ask)
    for number, row in enumerate(histories(random.Random(5), 2, 30)):
        done(ask("POST", f"/v1/logs/{LOG}/facts", {"key": f"k{number}", "fact": row}), 201)
    decider = ask.service.core.decider
    assert decider.glance(LOG, "s0") is None  # Nothing was read yet.
    at_length = ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s1"}).body
    for _ in range(2):  # From what is kept, and read anew.
        quick = decider.glance(LOG, "s1")
        assert quick is not None
        found = decider.kept_quickly(quick)
        assert found is not None
        assert decision(quick, found) == at_length
        model = quick.ready.ruleset.model
        texts = [to_json(record(model, fact, rule.name)) for fact, rule in found.derived]
        assert texts
        assert found.facts_text.decode() == f"[{', '.join(texts)}]"
        ask.service.core.histories.drop()
    clock.now += DAY  # The log's clock is to go on first.
    assert decider.glance(LOG, "s1") is None
    done(ask("POST", f"/v1/logs/{LOG}/activations", {"ruleset": POLICY, "from": "2014-01-01"}), 201)
    assert decider.glance(LOG, "s1") is None  # Another activation, which is to be read.


def test_what_is_long_is_not_read_at_a_glance(ask: Asked) -> None:
    begin(ask)
    rows = [upheld("s", number, "2014-12-01") for number in range(MOST_AT_ONCE + 1)]
    rows.append(upheld("t", 1, "2014-12-01", right="x" * MOST_GLANCED))
    body = [{"key": f"k{number}", "fact": row} for number, row in enumerate(rows)]
    done(ask("POST", f"/v1/logs/{LOG}/facts", body), 201)
    done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "u"}))
    decider = ask.service.core.decider
    assert decider.glance(LOG, "s") is None
    assert decider.glance(LOG, "t") is None
    before = done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"}))
    assert done(ask("POST", f"/v1/logs/{LOG}/decide", {"subject": "s"})) == before
    reading = decider.glance(LOG, "s")  # It is kept now, with its run.
    assert reading is not None
    assert decider.kept_quickly(reading) is not None
    reading.history.last = None
    assert decider.kept_quickly(reading) is None
