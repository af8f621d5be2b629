"""The service as it is used: by both clients, by `strikeout push`, and by the examples of docs/embed/.

One service runs for all of it, in a process of its own, on a database of SQLite.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

if sys.platform == "win32":
    pytest.skip("the service is killed here by signals that only POSIX has", allow_module_level=True)
for _module, _extra in (("httpx", "client"), *((name, "service") for name in ("starlette", "uvicorn", "httptools"))):
    pytest.importorskip(_module, reason=f"the service and its client need the extra `{_extra}`")

from strikeout.cli import commands  # noqa: E402
from strikeout.client import (  # noqa: E402
    AsyncClient,
    Client,
    Conflict,
    KeyRefused,
    NotFound,
    Retries,
    ScopeMissing,
    Unprocessable,
    content_key,
)
from strikeout.client.requests import Requests  # noqa: E402
from strikeout.log import open_database  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "embed"
EXAMPLE = ROOT / "docs" / "example.csv"
RULESET = "taobao-counterfeit"
QUICK = Retries(attempts=40, first=0.05, longest=0.2)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(django|fastapi|starlette|httpx)")


def strikeout_command(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "strikeout", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, **options)


def made(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Running:
    """A service in a process of its own."""

    def __init__(self, database: Path, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "strikeout", "serve", "--db", database, "--port", str(port)],
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self.listening = threading.Event()
        self.port = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.listening.wait(30)
        if not self.port:
            self.end(signal.SIGKILL)
        assert self.port, "".join(self.lines)
        self.url = f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as said:
            for line in said:
                self.lines.append(line)
                if not self.port and line.startswith("{") and json.loads(line)["event"] == "listening":
                    self.port = json.loads(line)["port"]
                    self.listening.set()
        self.listening.set()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(40)
        self.reader.join(10)
        return code


@dataclass
class Place:
    """Where the service is, and the keys that it knows."""

    url: str
    database: Path
    key: str
    key_file: Path
    reader: str

    def client(self, key: str | None = None, **options: Any) -> Client:
        return Client(self.url, key or self.key, **{"retries": QUICK, **options})

    def log(self, name: str) -> str:
        """Make a log with the ruleset in force from the beginning of time."""
        with self.client() as client:
            client.create(name)
            client.activate(name, RULESET, from_="2000-01-01")
        return name


def key_of(database: Path, name: str, *scopes: str) -> str:
    words = [word for scope in scopes for word in ("--scope", scope)]
    return made(strikeout_command("key", "new", "--db", database, "--name", name, *words))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("service")
    database = folder / "log.db"
    key = key_of(database, "case-system", "append", "read", "author")
    reader = key_of(database, "dashboard", "read")
    (folder / "key.txt").write_text(key + "\n", encoding="utf-8")
    running = Running(database)
    yield Place(running.url, database, key, folder / "key.txt", reader)
    assert running.end() == 0
    said = "".join(running.lines)
    assert key not in said
    assert reader not in said
    assert "trouble" not in {json.loads(line)["event"] for line in running.lines}, said


def upheld(number: int, day: str, seller: str = "xiaoming") -> dict[str, object]:
    return {
        "kind": "upheld",
        "at": day,
        "seller": seller,
        "complaint": f"{seller}-{number}",
        "complainant": "阿红",
        "right": "红了个红",
        "finding": "counterfeit",
        "base": 2,
    }


def three(seller: str = "xiaoming") -> list[dict[str, object]]:
    days = ["2015-01-05", "2015-01-15", "2015-02-21"]
    return [upheld(number, day, seller) for number, day in enumerate(days, 1)]


def test_every_request_is_answered_as_the_client_expects(place: Place) -> None:
    log = place.log("every")
    text = "ruleset: a\n"
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "create": (("made",), {}),
        "activate": ((log, RULESET), {"set": {"strike_limit": 3}, "key": "once", "from_": "2001-01-01"}),
        "append": ((log, upheld(9, "2015-01-01", "xiaohua")), {}),
        "append_many": ((log, three()), {"keys": ["a", "b", "c"]}),
        "decide": ((log, "xiaoming"), {"as_of": "2030-03-01", "remove": [{"complaint": "xiaoming-2"}]}),
        "status": ((log, "xiaoming"), {"as_of": "2030-03-01"}),
        "pending": ((log, "xiaoming"), {"as_of": "2030-01-16"}),
        "journal": ((log, "xiaoming"), {"as_of": "2030-03-01"}),
        "why": ((log, "xiaoming", "closure"), {"as_of": "2030-03-01", "lang": "zh"}),
        "why_not": ((log, "xiaohua", "closure"), {"as_of": "2030-03-01"}),
        "remedies": ((log, "xiaoming"), {"as_of": "2030-03-01", "most": 1}),
        "subjects": ((log,), {"limit": 1}),
        "export": ((log,), {"limit": 2}),
        "export_rows": ((log,), {"limit": 2}),
        "logs": ((), {}),
        "log_info": ((log,), {}),
        "activations": ((log,), {}),
        "rulesets": ((), {}),
        "ruleset": ((RULESET,), {}),
        "check": ((text,), {}),
        "diff": ((RULESET, RULESET), {}),
        "health": ((), {}),
        "ready": ((), {}),
        "metrics": ((), {}),
    }
    assert set(calls) == {name for name in vars(Requests) if not name.startswith("_")}

    async def asked(name: str) -> Any:
        arguments, options = calls[name]
        async with AsyncClient(place.url, place.key, retries=QUICK) as client:
            found: Awaitable[Any] | AsyncIterator[Any] = getattr(client, name)(*arguments, **options)
            return await found if inspect.isawaitable(found) else [item async for item in found]

    answers: dict[str, Any] = {}
    with place.client() as client:
        for name, (arguments, options) in calls.items():
            found = getattr(client, name)(*arguments, **options)
            answers[name] = list(found) if isinstance(found, Iterator) else found
    assert [receipt.key for receipt in answers["append_many"]] == ["a", "b", "c"]
    assert (answers["decide"].status, answers["decide"].counts.used) == ("closure", 3)
    assert answers["decide"].what_if
    assert answers["status"].status == "closure"
    assert [line.fact["kind"] for line in answers["journal"]].count("strike") == 3
    assert "3" in answers["why"].text
    assert answers["subjects"] == ["xiaohua", "xiaoming"]
    assert [record.position for record in answers["export"]] == list(range(1, len(answers["export"]) + 1))
    assert answers["export_rows"][0]["known_at"]
    assert not answers["check"].ok
    assert answers["check"].problems[0].line == 1
    assert answers["activate"].position == 2
    assert answers["ready"].checks["database"] == "ok"
    assert "strikeout_requests_total" in answers["metrics"]
    for name in set(calls) - {
        "create",
        "append",
        "append_many",
        "metrics",
        "log_info",
        "logs",
        "export",
        "activations",
    }:
        again = asyncio.run(asked(name))
        if name in ("decide", "status", "pending", "why", "why_not", "remedies"):
            again.position = answers[name].position
            again.known = answers[name].known
        assert again == answers[name], name


def test_a_decision_is_repeated_to_the_byte_by_the_command_line(place: Place, tmp_path: Path) -> None:
    log = place.log("repeated")
    pushed = strikeout_command("push", EXAMPLE, "--to", place.url, "--log", log, "--key-file", place.key_file)
    assert pushed.returncode == 0, pushed.stderr
    words = ["push", str(EXAMPLE), "--to", place.url, "--log", log, "--lang", "en"]
    again = CliRunner(env={"STRIKEOUT_KEY": place.key}).invoke(commands, words)
    assert "appended 0 + in the log before 8 + rejected 0" in again.stderr
    with place.client(place.reader) as client:
        decision = client.decide(log, "xiaoming")
        rows = list(client.export_rows(log))
    path = tmp_path / "facts.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    words = ["run", RULESET, str(path), "--as-of", decision.as_of, "--subject", "xiaoming", "--format", "jsonl"]
    expected = CliRunner().invoke(commands, words).stdout.splitlines()
    assert [json.dumps(fact, ensure_ascii=False) for fact in decision.facts] == expected
    assert decision.status == "closure"


def test_a_fact_is_taken_once_and_a_key_for_one_content_only(place: Place) -> None:
    log = place.log("once")
    with place.client() as client:
        first = client.append(log, three()[0])
        assert first.key == content_key(three()[0])
        assert not first.duplicate
        again = client.append(log, {**three()[0], "base": "2"})
        assert (again.duplicate, again.position, again.hash) == (True, first.position, first.hash)
        twice = client.append_many(log, [three()[1]] * 2)
        assert [receipt.duplicate for receipt in twice] == [False, True]
        with pytest.raises(Conflict) as caught:
            client.append_many(log, three()[1:], keys=["new", first.key])
        assert caught.value.problem.code == "conflict"
        assert caught.value.problem.errors[0].index == 1
        assert client.log_info(log).position == 3


def test_a_hundred_clients_with_the_same_facts_in_any_order_make_one_each(place: Place) -> None:
    log = place.log("hundred")
    facts = [upheld(number, f"2015-01-{number:02}") for number in range(1, 21)]

    def send(turn: int) -> list[int]:
        with place.client() as client:
            order = facts[turn % 20 :] + facts[: turn % 20]
            receipts = client.append_many(log, order) if turn % 2 else [client.append(log, fact) for fact in order[:3]]
            return [receipt.position for receipt in receipts if not receipt.duplicate]

    with ThreadPoolExecutor(8) as pool:
        new = sorted(position for positions in pool.map(send, range(40)) for position in positions)
    assert new == list(range(2, 22))


def test_bad_rows_are_named_and_none_is_taken(place: Place) -> None:
    log = place.log("bad")
    with place.client() as client:
        with pytest.raises(Unprocessable) as caught:
            client.append_many(log, [three()[0], {**three()[1], "finding": "counterfeitt"}, three()[2]])
        assert caught.value.problem.errors[0].index == 1
        assert "fact 2: column `finding`: `counterfeitt` is no member" in str(caught.value)
        assert client.log_info(log).position == 1


def test_who_may_not_is_told_so(place: Place) -> None:
    with place.client(place.reader) as client:
        with pytest.raises(ScopeMissing, match="append"):
            client.append("every", three()[0])
        with pytest.raises(NotFound, match="unknown log `nowhere`"):
            client.decide("nowhere", "xiaoming")
    with place.client("so_wrong") as client, pytest.raises(KeyRefused):
        client.logs()


def test_new_entries_of_the_journal_come_as_events(place: Place) -> None:
    log = place.log("events")
    with place.client() as client:
        client.append(log, upheld(0, "2015-01-01"))
        events = client.events(log, "xiaoming")
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(lambda: list(islice(events, 3)))
            for number in range(1, 200):
                # Until the stream is there and has seen three; another's facts are none of its business.
                client.append_many(log, [upheld(number, f"2016-01-01T00:{number // 60:02}:{number % 60:02}")])
                client.append(log, upheld(number, "2015-06-01", "another"))
                if wait([coming], 0.1).done:
                    break
            first = coming.result(30)
        events.close()
        again = client.events(log, "xiaoming", after=first[0].id)
        rest = list(islice(again, 2))
        again.close()
    assert [event.subject for event in first] == ["xiaoming"] * 3
    assert [event.sign for event in first] == ["+"] * 3
    assert rest == first[1:]


def test_a_service_that_is_killed_and_comes_again_is_waited_for(tmp_path: Path) -> None:
    database = tmp_path / "log.db"
    key = key_of(database, "case-system", "append", "read", "author")
    running = Running(database)
    with Client(running.url, key, retries=QUICK) as client:
        client.create("orders")
        client.activate("orders", RULESET, from_="2000-01-01")
        acknowledged: list[str] = []
        enough = threading.Event()

        def append() -> None:
            for number in range(2000):
                fact = upheld(number, f"2015-01-01T{number // 60:02}:{number % 60:02}")
                acknowledged.append(client.append("orders", fact).key)
                if enough.is_set():
                    return

        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(append)
            while len(acknowledged) < 5 and not work.done():
                threading.Event().wait(0.01)
            running.end(signal.SIGKILL)
            at_kill = len(acknowledged)
            running = Running(database, running.port)
            while len(acknowledged) < at_kill + 5 and not work.done():
                threading.Event().wait(0.01)
            enough.set()
            work.result(60)
        keys = [record.key for record in client.export("orders") if record.kind == "fact"]
    assert running.end() == 0
    assert keys == acknowledged
    assert "orders: whole" in made(strikeout_command("log", "verify", "--db", database))


@pytest.fixture
def example(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], ModuleType]:
    """Give what imports an example, with the variables of the environment that it reads."""

    def load(name: str, log: str) -> ModuleType:
        monkeypatch.setenv("STRIKEOUT_URL", place.url)
        monkeypatch.setenv("STRIKEOUT_KEY_FILE", str(place.key_file))
        monkeypatch.setenv("STRIKEOUT_LOG", log)
        monkeypatch.setenv("DJANGO_DB", str(tmp_path / "complaints.sqlite3"))
        monkeypatch.syspath_prepend(EXAMPLES)
        return importlib.import_module(name)

    return load


def test_fastapi(place: Place, example: Callable[[str, str], ModuleType]) -> None:
    pytest.importorskip("fastapi")
    import httpx

    module = example("embed_fastapi", place.log("fastapi"))

    async def ask() -> None:
        at = "T00:00:00+08:00"
        bodies = [
            {**{name: value for name, value in fact.items() if name != "kind"}, "decided_at": f"{fact['at']}{at}"}
            for fact in three()
        ]
        transport = httpx.ASGITransport(module.app)
        async with module.lifespan(module.app), httpx.AsyncClient(transport=transport, base_url="http://cases") as http:
            answers = [(await http.post("/upheld", json=body)).json() for body in bodies]
            assert answers[-1]["status"] == "closure"
            assert [answer["new"] for answer in answers] == [True] * 3
            again = (await http.post("/upheld", json=bodies[-1])).json()
            assert (again["new"], again["record"]) == (False, answers[-1]["record"])
            assert (await http.post("/upheld", json={**bodies[-1], "right": "other"})).status_code == 409
            wrong = {**bodies[-1], "complaint": "x", "finding": "none"}
            assert (await http.post("/upheld", json=wrong)).status_code == 422
            assert "3" in (await http.get("/sellers/xiaoming/why")).json()["text"]

    asyncio.run(ask())


def test_django(place: Place, example: Callable[[str, str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("django")
    module = example("embed_django", place.log("django"))
    from django.db import connection
    from django.test import Client as Browser

    with connection.schema_editor() as editor:
        editor.create_model(module.Complaint)
    browser = Browser()
    sent = {"seller": "xiaoming", "complainant": "阿红", "right": "红了个红"}
    assert browser.post("/upheld", sent).status_code == 201
    module.strikeout().close()
    with Client("http://127.0.0.1:9", retries=Retries(attempts=1)) as nobody:
        monkeypatch.setattr(module, "strikeout", lambda: nobody)
        assert browser.post("/upheld", sent).json() == {"complaint": 2, "reported": False}
    with place.client() as client:
        monkeypatch.setattr(module, "strikeout", lambda: client)
        assert module.report_all() == 1
        assert module.report_all() == 0
        module.Complaint.objects.update(reported=False)  # As if it had died before it noted that it had reported.
        assert module.report_all() == 2
        records = [record.key for record in client.export("django") if record.kind == "fact"]
        assert browser.get("/sellers/xiaoming").json()["status"] == client.decide("django", "xiaoming").status
    assert records == ["complaint-1", "complaint-2"]
    connection.close()


def test_a_queue(place: Place, example: Callable[[str, str], ModuleType], tmp_path: Path) -> None:
    log = place.log("queue")
    module = example("embed_queue", log)
    facts = [upheld(number, f"2015-01-{number:02}") for number in range(1, 13)]
    for number, fact in enumerate(facts):
        module.put(tmp_path, f"m{number:02}", fact)
    module.put(tmp_path, "wrong", {**facts[0], "kind": "upheldd"})
    # A consumer that dies after its fact was acknowledged, and before it could remove the message.
    with place.client() as client:
        dying = module.claim(tmp_path)
        client.append(log, json.loads(dying.read_text(encoding="utf-8")), key=dying.stem)
    script = "import sys; from pathlib import Path; from strikeout.client import Client; import embed_queue as q\n"
    script += (
        f"print(q.consume(Client({place.url!r}, sys.stdin.readline()), {log!r}, Path({str(tmp_path)!r}), stale=0))"
    )
    consumers = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=EXAMPLES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    new = [int(consumer.communicate(place.key + "\n", timeout=60)[0]) for consumer in consumers]
    with place.client() as client:
        assert module.consume(client, log, tmp_path, stale=0) in (0, 1)
        keys = [record.key for record in client.export(log) if record.kind == "fact"]
    assert sorted(keys) == [f"m{number:02}" for number in range(12)]
    assert sum(new) <= 11
    (refused,) = tmp_path.iterdir()
    assert refused.name == "wrong.refused"
    assert "did you mean `upheld`?" in refused.read_text(encoding="utf-8")


def test_the_library_with_no_service(
    example: Callable[[str, str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    module = example("embed_library", "")
    monkeypatch.setattr(sys, "argv", ["embed_library.py", str(tmp_path / "complaints.db")])
    for _ in range(2):
        module.main()
    assert capsys.readouterr().out.split() == ["closure"] * 2
    with open_database(str(tmp_path / "complaints.db")) as database:
        assert database.log(module.LOG).verify().position == 4


def test_every_example_is_run_here() -> None:
    said = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.stem}"' in said for path in EXAMPLES.glob("*.py"))
