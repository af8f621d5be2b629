"""The service as a process: killed in the middle of writing, stopped, begun again, two on one database."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the service needs the extra `service`, which is not installed")

import kill_log
import kill_service
from service_calls import JSON, QUICK, Process, of, read_events, until, upheld

from strikeout.log import open_database
from strikeout.service.app import Service
from strikeout.service.keys import SCOPES, digest, new_key
from strikeout.service.records import Journal
from strikeout.service.server import listening

LOG = "counterfeit"
FACTS = f"/v1/logs/{LOG}/facts"
KILLS = int(os.environ.get("STRIKEOUT_KILLS", "8"))


def begun(service: Process) -> None:
    assert service.ask("POST", f"/v1/logs/{LOG}").status in (201, 409)
    body = {"ruleset": "taobao-counterfeit", "from": "2014-01-01"}
    assert service.ask("POST", f"/v1/logs/{LOG}/activations", body, {"Idempotency-Key": "first"}).status in (200, 201)


def batch(name: str, number: int) -> list[dict[str, Any]]:
    """Facts of one batch: their keys say which, and of how many it is."""
    return [
        {
            "key": f"{name}-{place}-{number}",
            "fact": upheld(f"s{place % 3}", place, "2015-01-05", complaint=f"{name}{place}"),
        }
        for place in range(number)
    ]


def test_a_service_that_is_killed_keeps_what_it_acknowledged(
    database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every acknowledged fact is there once, no batch is there in half, and decisions are repeated to the byte."""
    server = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    monkeypatch.setattr(kill_log, "SERVER_KILLED", min(kill_log.SERVER_KILLED, KILLS - 1))
    seen = kill_service.many_kills(database_url, KILLS, 20150101, server)
    assert seen.kills == KILLS
    assert (seen.away > 0) == (server is not None)
    assert len(seen.receipts) > 20
    assert seen.resent > 0
    assert seen.repeated > 0


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """What was begun is answered, streams end, and the exit code is 0."""
    with Process(str(tmp_path / "log.db")) as service:
        begun(service)
        stream = service.connection()
        stream.request("GET", f"/v1/logs/{LOG}/events", headers={"Last-Event-ID": "1.1"})
        events = stream.getresponse()
        assert events.status == 200
        slow = service.connection()
        body = json.dumps(batch("late", 3)).encode()
        slow.putrequest("POST", FACTS)
        slow.putheader("Content-Type", JSON)
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders()
        slow.send(body[:10])
        until(lambda: service.ask("GET", "/metrics").body.count(b"strikeout_streams 1"))
        service.process.terminate()
        time.sleep(0.3)
        slow.send(body[10:])
        answer = slow.getresponse()
        assert answer.status == 201, answer.read()
        answer.read()
        assert read_events(events.read()) == []
        stream.close()
        slow.close()
        code = service.end()
    assert code == 0
    lines = [json.loads(line) for line in service.lines]
    assert [line["event"] for line in lines if line["event"] != "request"] == ["listening", "stopped"]
    with open_database(str(tmp_path / "log.db")) as database:
        assert database.log(LOG).head().position == 4


def test_two_processes_on_one_database_are_as_one(tmp_path: Path) -> None:
    """The same keys sent to both by many: one fact each; and the same answers from both."""
    url = str(tmp_path / "log.db")
    with Process(url) as one, Process(url) as other:
        begun(one)
        rows = [row for number in range(40) for row in batch(f"b{number}", 1)]
        receipts: list[dict[str, Any]] = []

        def send(service: Process, seed: int) -> None:
            shuffled = list(rows)
            random.Random(seed).shuffle(shuffled)
            for row in shuffled:
                reply = service.ask("POST", FACTS, row)
                assert reply.status in (200, 201), reply
                receipts.extend(reply.json["receipts"])

        threads = [threading.Thread(target=send, args=((one, other)[n % 2], n)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(receipts) == 6 * len(rows)
        assert sum(not receipt["duplicate"] for receipt in receipts) == len(rows)
        assert len({(r["key"], r["position"], r["hash"], r["known_at"]) for r in receipts}) == len(rows)
        for subject in ("s0", "s1"):
            first = one.ask("POST", f"/v1/logs/{LOG}/decide", {"subject": subject})
            asking = {"subject": subject, "as_of": first.json["as_of"], "known": first.json["known"]}
            assert other.ask("POST", f"/v1/logs/{LOG}/decide", asking).body == first.body
            later = other.ask("POST", f"/v1/logs/{LOG}/decide", {"subject": subject}).json
            assert later["as_of"] >= first.json["as_of"]


def test_it_listens_elsewhere_with_a_key_only(tmp_path: Path) -> None:
    url = str(tmp_path / "log.db")
    refused = Process(url, "--host", "0.0.0.0")
    assert refused.process.wait(60) == 2
    refused.end()
    assert b"has no key" in b"".join(refused.lines)
    key = new_key()
    with open_database(url) as database:
        database.keys.add(digest(key), SCOPES, "k")
    with Process(url, "--host", "0.0.0.0") as service:
        assert service.ask("GET", "/v1/logs").status == 401
        assert service.ask("GET", "/v1/logs", headers={"Authorization": f"Bearer {key}"}).status == 200
        assert service.ask("GET", "/healthz").status == 200
        strange = of(LOG, "小明/店%2F")
        head = {"Authorization": f"Bearer {key}"}
        assert service.ask("POST", f"/v1/logs/{LOG}", headers=head).status == 201
        body = {"ruleset": "taobao-counterfeit", "from": "2014-01-01"}
        assert service.ask("POST", f"/v1/logs/{LOG}/activations", body, head).status == 201
        found = service.ask("GET", strange, headers=head)
        assert found.json["subject"] == "小明/店%2F"
        tag = service.ask("GET", f"/v1/logs/{LOG}", headers=head).headers["etag"]
        again = service.ask("GET", f"/v1/logs/{LOG}", headers={**head, "If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
        assert key.encode() not in b"".join(service.lines)
    assert hashlib.sha256(key.encode()).digest() == digest(key)


def sent(port: int, request: bytes) -> bytes:
    """What comes back on a connection until the service closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
        found = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65_536):
                found += part
        return found


def test_a_request_that_has_no_end_is_cut_off(tmp_path: Path) -> None:
    """Endless and slow headers, endless and slow bodies, and what is no HTTP: others are answered all the while."""
    with open_database(str(tmp_path / "log.db")) as database:
        limits = dataclasses.replace(QUICK, body=10_000, body_seconds=0.5)
        service = Service(database, limits=limits)
        told: io.StringIO = io.StringIO()
        server = listening(service, "127.0.0.1", 0, Journal(told))
        thread = threading.Thread(target=server.run)
        thread.start()
        until(lambda: "listening" in told.getvalue())
        port = json.loads(told.getvalue().splitlines()[0])["port"]
        head = b"POST /v1/rulesets/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        assert b" 431 " in sent(port, b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 200_000)
        assert b" 431 " in sent(port, b"GET /" + b"y" * 200_000)
        assert sent(port, b"GET /healthz HT") == b""
        assert sent(port, b"") == b""
        assert b" 400 " in sent(port, b"\x16\x03\x01 what is this\r\n\r\n")
        assert b" 408 " in sent(port, head + b"Content-Length: 100\r\n\r\n{")
        assert b" 413 " in sent(port, head + b"Content-Length: 100000000\r\n\r\n{")
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        assert b" 413 " in sent(port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 50)
        assert b" 200 " in sent(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        server.should_exit = True
        thread.join(30)
        service.close()
        assert not thread.is_alive()
