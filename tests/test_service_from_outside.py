"""What the service promises, tried from outside: raw sockets, headers that mean two things, a database taken away."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the service needs the extra `service`, which is not installed")

from service_calls import JSON, LINES, Process, of, upheld

FACTS = "/v1/logs/t/facts"
HALF_A_KEY = "so_a-key-that-nobody-has"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    url = str(tmp_path_factory.mktemp("outside") / "log.db")
    with Process(url, "--timeout", "5", "--rate", "0") as started:
        assert started.ask("POST", "/v1/logs/t").status == 201
        body = {"ruleset": "taobao-counterfeit", "from": "0001-01-02"}
        assert started.ask("POST", "/v1/logs/t/activations", body).status == 201
        yield started
        said = b"".join(started.lines)
    assert b"Traceback" not in said
    assert b'"status":500' not in said.replace(b" ", b"")
    assert HALF_A_KEY.encode() not in said


def heads(service: Process, *parts: bytes, end: bool = False, seconds: float = 10.0) -> tuple[list[int], bytes]:
    """The statuses of what comes back for bytes sent as they are, and all that comes back."""
    found = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if end:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                found += part
        except ConnectionError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", found)], found


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: here", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def one(key: str, number: int, **more: Any) -> bytes:
    return json.dumps({"key": key, "fact": upheld("raw", number, "2015-01-05", **more)}).encode()


def last(service: Process) -> int:
    position: int = service.ask("GET", "/v1/logs/t").json["position"]
    return position


POST = f"POST {FACTS} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: application/json\r\n".encode()
BAD_REQUESTS: Mapping[str, bytes] = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}abc",
    "a length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a length below nothing": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length beyond all": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "no such coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk of no length": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond all": POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: here\r\nX: a\0b\r\n\r\n",
    "a control in the path": b"GET /v1/\x01 HTTP/1.1\r\nHost: here\r\n\r\n",
    "no path": b"GET v1/logs HTTP/1.1\r\nHost: here\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303"),
    "an unknown method": request("FOO", FACTS),
    "a long header": b"GET /healthz HTTP/1.1\r\nHost: here\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_what_is_no_request_is_refused_and_cut_off(service: Process, name: str) -> None:
    before = last(service)
    statuses, _ = heads(service, BAD_REQUESTS[name])
    assert statuses in ([400], [413], [431], []), statuses
    assert last(service) == before


def test_requests_in_a_row_are_answered_in_a_row(service: Process) -> None:
    row = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n" * 50
    assert heads(service, row + request("GET", "/v1/logs"))[0] == [200] * 51


def test_half_a_body_is_no_fact(service: Process) -> None:
    before = last(service)
    body = one("half", 1)
    heads(service, request("POST", FACTS, body, f"Content-Type: {JSON}")[:-1], end=True)
    heads(service, POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body), end=True)
    assert last(service) == before


TWICE = {
    "Authorization": ("Bearer " + HALF_A_KEY, "Bearer so_other"),
    "Idempotency-Key": ("one", "other"),
    "Content-Type": (JSON, LINES),
    "Last-Event-ID": ("1.1", "2.1"),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_header_given_twice_is_not_guessed_at(service: Process, name: str) -> None:
    """Proxies and services differ in which of the two they take."""
    before = last(service)
    body = json.dumps({"fact": upheld("raw", 2, "2015-01-05")}).encode()
    statuses, text = heads(service, request("POST", FACTS, body, *(f"{name}: {value}" for value in TWICE[name])))
    assert statuses == [400]
    assert b"is given twice" in text
    assert last(service) == before


def test_lists_in_several_headers_are_one_list(service: Process) -> None:
    path = "/v1/openapi.json"
    tag = service.ask("GET", path).headers["etag"]
    sent = request("GET", path, b"", 'If-None-Match: "other"', f"If-None-Match: {tag}")
    assert heads(service, sent)[0] == [304]


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "GZIP", "bogus"])
def test_an_encoded_body_is_refused_as_such(service: Process, coding: str) -> None:
    body = one("coded", 3)
    for sent in (body, gzip.compress(body)):
        reply = service.ask("POST", FACTS, sent, {"Content-Encoding": coding})
        assert (reply.status, reply.json["code"]) == (415, "media-type")
    assert service.ask("POST", FACTS, one("plain", 3), {"Content-Encoding": "identity"}).status in (200, 201)


@pytest.mark.parametrize("path", ["/v1/logs/t", FACTS, "/v1/logs/t/events", "/healthz", "/v1/rulesets/check"])
def test_what_is_allowed_is_what_is_answered(service: Process, path: str) -> None:
    allowed = service.ask("OPTIONS", path).headers["allow"].split(", ")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
        if (path, method) == ("/v1/logs/t/events", "GET"):
            assert method in allowed
            continue
        assert (heads(service, request(method, path))[0] == [405]) == (method not in allowed), (method, allowed)


PATHS = [
    *("/v1/logs/..", "/v1/logs/%2e%2e", "/v1/logs/%00", "/v1/logs/t%00", "//v1/logs", "/v1//logs", "/v1/logs/", "*"),
    *("/v1/rulesets/..%2f..%2fetc%2fpasswd", "/v1/rulesets/%2fetc%2fpasswd", "/v1/rulesets/" + "a" * 64),
    *("/v1/logs/t/subjects/%00", "/v1/logs/t/subjects/%ff", "/v1/logs/t/subjects/a/b"),
    *(f"{FACTS}?{query}" for query in ("after=-1", "limit=0", "limit=1e3", "after=9999999999999999999", "format=x")),
    *(f"/v1/logs/t/subjects/x?{query}" for query in ("as_of=", "as_of=0", "as_of=1&as_of=2", "%ff=1", "known=now")),
    *(f"/v1/logs/t/events?{query}" for query in ("subject=%00", "subject=%ff", "other=1")),
]


@pytest.mark.parametrize("path", PATHS)
def test_tricks_with_paths_lead_nowhere(service: Process, path: str) -> None:
    statuses, text = heads(service, request("GET", path))
    assert statuses in ([400], [404])
    assert b"root:" not in text


def test_ids_of_events_that_are_none_are_refused(service: Process) -> None:
    for given in ("0", "-1", "1:1", "0-0", "9" * 30, "1.1.1", "\u20ac".encode().decode("latin-1"), "1" * 5_000):
        assert heads(service, request("GET", "/v1/logs/t/events", b"", f"Last-Event-ID: {given}"))[0] == [400], given


EDGES = [
    *("0001-01-01T00:00:00Z", "0001-01-03", "2015-01-05T00:00:00+00:00", "2015-01-05T00:00:00%2B00:00", "9999-12-31"),
    *("9999-12-31T23:59:59.999999%2B08:00", "2015-01-05T00:00:00.000001Z", "2015-01-05T00:00:00%2B23:59"),
]


def test_the_instants_at_the_edges_are_answered_alike(service: Process) -> None:
    """What is answered as of an instant can be asked for again by what the answer says."""
    facts = [
        {"key": f"edge{number}", "fact": upheld("edge", number, at)}
        for number, at in enumerate(("0001-01-01T00:00:00Z", "2015-01-05T00:00:00Z", "9999-12-31T23:59:59.999999"))
    ]
    assert service.ask("POST", FACTS, facts).status == 201
    decided = 0
    for edge, name in itertools.product(EDGES, ("as_of", "known")):
        reply = service.ask("GET", of("t", "edge", f"?{name}={edge}"))
        assert reply.status in (200, 409), reply.json
        if reply.status == 409:
            continue
        decided += 1
        asked = {"subject": "edge", "as_of": reply.json["as_of"], "known": reply.json["known"]}
        again = service.ask("POST", "/v1/logs/t/decide", asked)
        assert again.status == 200, again.json
        for member in ("as_of", "known", "status", "since", "pending", "ruleset"):
            assert again.json[member] == reply.json[member]
    assert decided > len(EDGES) // 2


def test_slow_bodies_hold_nobody_up(service: Process) -> None:
    slow = []
    try:
        for number in range(120):
            connection = socket.create_connection(("127.0.0.1", service.port))
            connection.sendall((POST, POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", b"GE")[number % 3])
            slow.append(connection)
        for _ in range(5):
            started = time.monotonic()
            assert service.ask("GET", of("t", "edge")).status == 200
            assert time.monotonic() - started < 5
    finally:
        for connection in slow:
            connection.close()


def test_a_file_that_is_taken_away_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Process(str(path)) as started:
        assert started.ask("POST", "/v1/logs/t").status == 201
        body = {"ruleset": "taobao-counterfeit", "from": "2014-01-01"}
        assert started.ask("POST", "/v1/logs/t/activations", body).status == 201
        assert started.ask("POST", FACTS, one("a", 1)).status == 201
        path.rename(tmp_path / "moved.db")
        reply = started.ask("POST", FACTS, one("b", 2))
        assert (reply.status, reply.json["code"]) == (503, "database")
        assert started.ask("GET", "/readyz").status == 503
        assert started.ask("GET", "/healthz").status == 200
        (tmp_path / "moved.db").rename(path)
        assert started.ask("POST", FACTS, one("b", 2)).status == 201
        assert last(started) == 3
