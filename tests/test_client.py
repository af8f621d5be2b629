"""The client alone: what it sends, when it tries again, what it makes of answers; `test_push.py` has the service."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("httpx", reason="the client needs the extra `client`, which is not installed")

import httpx

import strikeout
from strikeout.client import (
    AsyncClient,
    BadRequest,
    Client,
    ClientError,
    Conflict,
    KeyRefused,
    NotFound,
    RateLimited,
    Retries,
    ScopeMissing,
    ServiceError,
    ServiceFault,
    ServiceUnreachable,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unprocessable,
    content_key,
)
from strikeout.client.event_stream import EventStream
from strikeout.client.requests import Requests

FACT = {"kind": "withdrawal", "at": "2015-01-05", "seller": "小明", "complaint": "c/1"}
RECEIPT = {"key": "k", "position": 1, "known_at": "2015-01-05T00:00:00+08:00", "hash": "00", "duplicate": False}
SECRET = "so_topsecret"


def answer(value: object, status: int = 200, **headers: str) -> Any:
    return httpx.Response(status, json=value, headers={n.replace("_", "-"): v for n, v in headers.items()})


class Service:
    """Answers requests from a list: responses, or errors to raise; keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def __call__(self, request: Any) -> Any:
        self.asked.append(request)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def client(self, **options: Any) -> Client:
        transport = httpx.MockTransport(self)
        return Client("http://service/base/", SECRET, http=httpx.Client(transport=transport), **options)

    def async_client(self, **options: Any) -> AsyncClient:
        transport = httpx.MockTransport(self)
        return AsyncClient("http://service/base", SECRET, http=httpx.AsyncClient(transport=transport), **options)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the list of pauses that the clients made, none of which is waited."""
    pauses: list[float] = []

    async def wait(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("strikeout.client.clients.time.sleep", pauses.append)
    monkeypatch.setattr("strikeout.client.clients.asyncio.sleep", wait)
    return pauses


def test_a_fact_is_sent_with_the_key_of_its_content() -> None:
    service = Service(answer({"receipts": [RECEIPT]}))
    receipt = service.client().append("or ders", {**FACT, "base": None, "at": datetime.date(2015, 1, 5)})
    assert receipt.position == 1
    (request,) = service.asked
    assert (request.method, request.url.raw_path) == ("POST", b"/base/v1/logs/or%20ders/facts")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert json.loads(request.content) == {"key": content_key(FACT), "fact": FACT}


def test_many_facts_are_one_request_each_with_its_key() -> None:
    service = Service(answer({"receipts": [RECEIPT, RECEIPT]}))
    assert len(service.client().append_many("orders", [FACT, FACT], keys=["a", "b"])) == 2
    assert [sent["key"] for sent in json.loads(service.asked[0].content)] == ["a", "b"]
    with pytest.raises(strikeout.FactError, match="2 facts have 1 keys"):
        service.client().append_many("orders", [FACT, FACT], keys=["a"])


def test_too_few_receipts_are_no_success() -> None:
    with pytest.raises(UnexpectedAnswer, match="2 facts were sent, and 1 were acknowledged"):
        Service(answer({"receipts": [RECEIPT]})).client().append_many("orders", [FACT, FACT])


def test_a_path_holds_any_subject() -> None:
    service = Service()
    for subject in ("a/b?c#d%", "..", "小明"):
        service.answers = [answer({}, status=404)]
        with pytest.raises(NotFound):
            service.client().status("orders", subject, as_of="2015-01-05T00:00:00+08:00")
    paths = [request.url.raw_path.split(b"?")[0] for request in service.asked]
    assert paths[0] == b"/base/v1/logs/orders/subjects/a%2Fb%3Fc%23d%25"
    assert paths[1] == b"/base/v1/logs/orders/subjects/%2E%2E"
    assert paths[2] == b"/base/v1/logs/orders/subjects/%E5%B0%8F%E6%98%8E"
    assert service.asked[0].url.params["as_of"] == "2015-01-05T00:00:00+08:00"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (405, BadRequest),
        (401, KeyRefused),
        (403, ScopeMissing),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (422, Unprocessable),
        (429, RateLimited),
        (500, ServiceFault),
        (503, Unavailable),
        (507, Unavailable),
    ],
)
def test_a_refusal_carries_its_problem(status: int, kind: type[ServiceError]) -> None:
    problem = {
        "type": "urn:strikeout:problem:facts",
        "title": "facts cannot be used",
        "status": status,
        "detail": "2 of 3 facts cannot be used",
        "code": "facts",
        "errors": [{"index": 1, "pointer": "/1/fact/at", "detail": "column `at`: missing"}],
    }
    with pytest.raises(ServiceError) as caught:
        Service(answer(problem, status)).client(retries=Retries(attempts=1)).append("orders", FACT)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.problem.errors[0].index == 1
    assert str(caught.value) == (
        f"the service refused the request ({status}): 2 of 3 facts cannot be used\nfact 2: column `at`: missing"
    )


@pytest.mark.parametrize("body", [b"<html>gateway</html>", b"", b"[1]", b'{"status": "x"}', b"\xff" * 9000])
def test_a_proxys_refusal_is_a_refusal_all_the_same(body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"refused the request \(502\)") as caught:
        Service(httpx.Response(502, content=body)).client(retries=Retries(attempts=1)).health()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"logs": 3}', b"\xff"])
def test_an_answer_of_something_else_is_said_to_be_one(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        Service(httpx.Response(200, content=body)).client().logs()


def test_a_busy_service_is_asked_again_when_it_says(slept: list[float]) -> None:
    service = Service(
        answer({}, 429, retry_after="3"), answer({}, 503, retry_after="2"), answer({"receipts": [RECEIPT]})
    )
    assert service.client().append("orders", FACT).position == 1
    assert slept == [3.0, 2.0]
    assert len({request.content for request in service.asked}) == 1


def test_who_is_asked_to_wait_too_long_says_so(slept: list[float]) -> None:
    with pytest.raises(RateLimited) as caught:
        Service(answer({}, 429, retry_after="3600")).client().logs()
    assert caught.value.retry_after == 3600
    assert slept == []


def test_a_lost_connection_is_made_again_and_the_pauses_grow(slept: list[float]) -> None:
    lost = [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.RemoteProtocolError("closed")] * 2
    service = Service(*lost[:5], answer({"receipts": [RECEIPT]}))
    service.client(retries=Retries(attempts=6, first=1.0, longest=4.0)).append("orders", FACT)
    assert [0.5 <= slept[0] <= 1, 1 <= slept[1] <= 2, *(2 <= pause <= 4 for pause in slept[2:])] == [True] * 5
    service = Service(*lost)
    with pytest.raises(ServiceUnreachable, match="no answer from the service in 6 attempts: closed; whether"):
        service.client().append("orders", FACT)


def test_what_may_not_be_done_twice_is_not_sent_twice(slept: list[float]) -> None:
    service = Service(httpx.ReadError("reset"))
    with pytest.raises(ServiceUnreachable, match="whether the request was done is not known"):
        service.client().activate("orders", "taobao-counterfeit")
    activation = {
        "ruleset": {"name": "r", "version": "1", "hash": "00"},
        "from": "2015-01-05T00:00:00+08:00",
        "known_at": "2015-01-05T00:00:00+08:00",
        "position": 1,
    }
    service = Service(httpx.ConnectError("refused"), answer({}, 503), answer(activation))
    assert service.client().activate("orders", "taobao-counterfeit").position == 1


def test_errors_that_are_the_callers_are_not_tried_again(slept: list[float]) -> None:
    for status in (400, 401, 403, 404, 409, 422, 500, 507):
        service = Service(answer({}, status))
        with pytest.raises(ServiceError):
            service.client().append("orders", FACT)
        assert len(service.asked) == 1


def test_what_took_too_long_is_not_asked_again(slept: list[float]) -> None:
    service = Service(answer({"type": "t", "title": "t", "status": 503, "detail": "d", "code": "too-long"}, 503))
    with pytest.raises(Unavailable):
        service.client().decide("orders", "s")
    assert slept == []


def test_both_clients_send_the_same(slept: list[float]) -> None:
    decision = {
        "subject": "s",
        "as_of": "2015-01-05T00:00:00+08:00",
        "known": "2015-01-05T00:00:00+08:00",
        "position": 3,
        "ruleset": {"name": "r", "version": "1", "hash": "00"},
        "status": "closure",
        "facts": [{"seller": "s", "kind": "closure"}],
        "pending": [],
        "counts": {"given": 1, "used": 1, "duplicates": 0, "voided": 0, "later": 0},
        "of tomorrow": 1,
    }
    options: dict[str, Any] = {"as_of": datetime.date(2015, 1, 5), "set": {"strike_limit": 2}, "add": [FACT]}
    blocking, awaiting = (
        Service(answer({}, 503), httpx.ReadTimeout("late"), answer(decision)) for _ in ("blocking", "awaiting")
    )
    one = blocking.client().decide("orders", "s", **options)
    other = asyncio.run(awaited(awaiting, options))
    assert one == other
    assert one.status == "closure"
    assert json.loads(blocking.asked[2].content) == {
        "subject": "s",
        "as_of": "2015-01-05",
        "what_if": {"add": [FACT], "set": {"strike_limit": 2}},
    }
    sent = [[(r.method, str(r.url), dict(r.headers), r.content) for r in s.asked] for s in (blocking, awaiting)]
    assert sent[0] == sent[1]
    assert len(slept) == 4


async def awaited(service: Service, options: dict[str, Any]) -> Any:
    return await service.async_client().decide("orders", "s", **options)


def test_pages_are_followed_by_the_query_of_their_link() -> None:
    def answers() -> list[Any]:
        link = '<http://10.0.0.1/elsewhere/v1/logs/orders/subjects?after=b%26&limit=2>; rel="next"'
        return [answer({"subjects": ["a", "b&"]}, link=link), answer({"subjects": ["c"]})]

    service = Service(*answers())
    assert list(service.client().subjects("orders", limit=2)) == ["a", "b&", "c"]
    assert [str(request.url.copy_with(query=None)) for request in service.asked] == [
        "http://service/base/v1/logs/orders/subjects"
    ] * 2
    assert dict(service.asked[1].url.params) == {"after": "b&", "limit": "2"}

    async def collect() -> list[str]:
        return [subject async for subject in Service(*answers()).async_client().subjects("orders", limit=2)]

    assert asyncio.run(collect()) == ["a", "b&", "c"]
    link = '<?limit=2>; rel="next"'
    with pytest.raises(UnexpectedAnswer, match="names itself"):
        list(Service(answer({"subjects": []}, link=link)).client().subjects("orders", limit=2))


def entry(number: int) -> bytes:
    found = {
        "subject": "s",
        "at": "2015-01-05T00:00:00+08:00",
        "sign": "+",
        "fact": {"seller": f"小\u2028{number}"},
        "ruleset": {"name": "r", "version": "1", "hash": "00"},
    }
    return f": alive\n\nid: {number}\nevent: journal\ndata: {json.dumps(found, ensure_ascii=False)}\n\n".encode()


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):  # type: ignore[misc, unused-ignore]
    """A body that breaks off."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        raise httpx.ReadError("reset")

    async def __aiter__(self) -> Any:
        for chunk in self:
            yield chunk


def streams() -> Service:
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return Service(
        httpx.Response(200, headers=headers, stream=Broken(entry(1), entry(2)[:40])),
        answer({}, 503, retry_after="7"),
        httpx.ConnectError("refused"),
        httpx.Response(200, headers=headers, content=entry(2) + entry(3)),
        answer({"title": "stop"}, 403),
    )


def test_events_go_on_where_the_stream_broke_off(slept: list[float]) -> None:
    service = streams()
    events = service.client().events("orders", after="0")
    seen = [(event.id, event.fact["seller"]) for event in itertools.islice(events, 3)]
    assert seen == [(str(n), f"小\u2028{n}") for n in (1, 2, 3)]
    with pytest.raises(ScopeMissing):
        next(events)
    assert [request.headers["last-event-id"] for request in service.asked] == ["0", "1", "1", "1", "3"]
    assert slept[1] >= 7

    async def collect() -> list[str]:
        events = streams().async_client().events("orders")
        found = [(await anext(events)).id for _ in range(3)]
        with pytest.raises(ScopeMissing):
            await anext(events)
        return found

    assert asyncio.run(collect()) == ["1", "2", "3"]


def test_a_service_that_stays_away_ends_the_events(slept: list[float]) -> None:
    service = Service(*[httpx.ConnectError("refused")] * 3)
    with pytest.raises(ServiceUnreachable, match="the stream of events is lost, after `17`: refused"):
        next(service.client(retries=Retries(attempts=3)).events("orders", after="17"))
    with pytest.raises(UnexpectedAnswer, match="no stream of events"):
        next(Service(answer({})).client().events("orders"))


@given(st.data())
def test_how_a_stream_is_cut_changes_no_event(data: st.DataObject) -> None:
    line_end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    text = b"retry: 1500\n\nid: 1\ndata: a\ndata:  b\n\n:c\n\nevent: x\ndata: \xe5\xb0\x8f\nid\n\nid: 9\n\ndata: cut"
    body = text.replace(b"\n", line_end)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    stream = EventStream()
    chunks = [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])]
    found = [(event.id, event.name, event.data) for chunk in chunks for event in stream.feed(chunk)]
    assert found == [("1", "message", "a\n b"), ("", "x", "小")]
    assert (stream.last_id, stream.retry) == ("9", 1.5)


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.text(max_size=5), st.integers(), st.booleans())))
def test_the_key_of_content_is_of_what_is_there(row: dict[str, object]) -> None:
    turned = dict(reversed(row.items()))
    as_text = {c: str(v).lower() if isinstance(v, bool) else "" if v is None else str(v) for c, v in row.items()}
    assert content_key(row) == content_key(turned) == content_key(as_text)
    assert content_key({**row, "another": "x"}) != content_key(row)


def test_what_is_no_cell_is_refused_before_anything_is_sent() -> None:
    service = Service()
    for value, said in ([1], "column `right`: expected a text"), ("\ud800", "half of a surrogate pair"):
        with pytest.raises(strikeout.FactError, match=said):
            service.client().append("orders", {**FACT, "right": value})
    assert service.asked == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Client("service:8000"),
        lambda: Client("ftp://service"),
        lambda: Client(f"http://user:{SECRET}@service"),
        lambda: Client(f"http://service?key={SECRET}"),
        lambda: Client("http://service", f"{SECRET}\nx"),
        lambda: Client("http://service", ""),
    ],
)
def test_a_wrong_address_or_key_is_said_at_once(make: Callable[[], Client]) -> None:
    with pytest.raises(ClientError) as caught:
        make()
    assert SECRET not in str(caught.value)


def test_the_key_is_nowhere_to_be_read(slept: list[float]) -> None:
    client = Service(*[httpx.ConnectError("refused")] * 9).client()
    with pytest.raises(ServiceUnreachable) as caught:
        client.health()
    assert SECRET not in repr(client) + str(caught.value)


def test_a_redirect_is_not_followed_with_the_key() -> None:
    service = Service(httpx.Response(302, headers={"location": "http://elsewhere/"}))
    with pytest.raises(BadRequest):
        service.client().logs()
    assert len(service.asked) == 1


def test_every_request_says_what_it_does() -> None:
    for name, call in vars(Requests).items():
        if not name.startswith("_"):
            assert call.__doc__, name


def blocked(module: str, then: str) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.modules[{module!r}] = None\n{then}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


def test_without_httpx_the_extra_is_named() -> None:
    then = """
import strikeout
from strikeout.client import AsyncClient, Client
for kind in Client, AsyncClient:
    try:
        kind("http://127.0.0.1:8000")
    except strikeout.RunError as error:
        print(error)
"""
    done = blocked("httpx", then)
    assert done.stdout.splitlines() == ["the client needs httpx: `pip install 'strikeout[client]'`"] * 2, done.stderr


def test_the_client_needs_nothing_of_the_service() -> None:
    done = blocked("starlette", 'sys.modules["uvicorn"] = None\nimport strikeout.client\nprint("there")')
    assert done.stdout == "there\n", done.stderr
