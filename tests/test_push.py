"""`strikeout push`: what is checked before anything is sent, what is sent, and what becomes of a push that breaks off.

The service here is a small stand-in that fails as it is told; `test_embedding.py` pushes to the real one.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import strikeout
from strikeout.cli import commands, main
from strikeout.reach.files import read

pytest.importorskip("httpx", reason="`strikeout push` needs the extra `client`, which is not installed")

RULESET = strikeout.load("taobao-counterfeit")
EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "example.csv"
ROWS = [dict(row) for row in read(EXAMPLE)]
KEY = "so_secret"


@dataclass
class Desk:
    """A log that is kept in memory: what it has by key, and how it is to answer next."""

    url: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    failures: list[tuple[int, int]] = field(default_factory=list)
    """Pairs: the number of the batch from which on it answers so, and the status (0 breaks the connection)."""
    keys: set[str | None] = field(default_factory=set)
    silent: threading.Event = field(default_factory=threading.Event)
    """Set once it was told, by the status -1, to give no answer at all."""

    def append(self, body: bytes) -> tuple[int, object]:
        lines = [json.loads(line) for line in body.splitlines()]
        if self.failures and len(self.batches) >= self.failures[0][0]:
            _, status = self.failures.pop(0)
            return status, {"type": "x", "title": "x", "status": status, "detail": "as told", "code": "x"}
        self.batches.append(len(lines))
        receipts = []
        for line in lines:
            before = line["key"] in self.facts
            assert self.facts.setdefault(line["key"], line["fact"]) == line["fact"]
            position = list(self.facts).index(line["key"]) + 1
            receipts.append({"key": line["key"], "position": position, "known_at": "", "hash": "", "duplicate": before})
        return 201, {"receipts": receipts}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    found = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v1/logs/orders/bundle"
            self.answer(200, strikeout.bundle_of(RULESET).content)

        def do_POST(self) -> None:
            assert self.path == "/v1/logs/orders/facts"
            status, value = found.append(self.rfile.read(int(self.headers["content-length"])))
            if status < 0:
                found.silent.set()
                self.rfile.read()
            elif status:
                self.answer(status, json.dumps(value).encode())
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

        def answer(self, status: int, body: bytes) -> None:
            found.keys.add(self.headers["authorization"])
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("strikeout.client.clients.time.sleep", lambda seconds: None)
    monkeypatch.setenv("STRIKEOUT_KEY", KEY)
    yield found
    server.shutdown()
    server.server_close()


def push(desk: Desk, *arguments: str | Path, **options: Any) -> Result:
    words = ["push", *map(str, arguments), "--to", desk.url, "--log", "orders", "--lang", "en"]
    return CliRunner().invoke(commands, words, **options)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_is_pushed_once_however_often(desk: Desk) -> None:
    first = push(desk, EXAMPLE, "--batch", "3")
    assert first.exit_code == 0, first.output
    assert desk.batches == [3, 3, 2]
    assert desk.keys == {f"Bearer {KEY}"}
    before = dict(desk.facts)
    again = push(desk, EXAMPLE)
    assert again.exit_code == 0
    assert f"given {len(ROWS)} = appended 0 + in the log before {len(ROWS)} + rejected 0" in again.stderr
    assert desk.facts == before


def test_what_arrives_is_what_the_file_says(desk: Desk) -> None:
    push(desk, EXAMPLE)
    pushed = RULESET.run(desk.facts.values(), as_of="2015-12-31")
    read_ = RULESET.run(read(EXAMPLE), as_of="2015-12-31")
    assert [dict(f) for f in pushed.facts] == [dict(f) for f in read_.facts]
    assert len(pushed.facts) > 0


def test_the_form_of_the_file_changes_no_key(desk: Desk, tmp_path: Path) -> None:
    rows = [{column: cell for column, cell in row.items() if cell} for row in ROWS]
    typed = [{**row, "base": int(str(row["base"]))} if "base" in row else row for row in reversed(rows)]
    folder = jsonl(tmp_path / "facts.jsonl", typed)
    packed = tmp_path / "facts.csv.gz"
    packed.write_bytes(gzip.compress(EXAMPLE.read_bytes()))
    for files in ([EXAMPLE], [folder], [packed], [folder, packed]):
        assert push(desk, *files).exit_code == 0
        assert len(desk.facts) == len(ROWS)
    assert push(desk, "-", input=EXAMPLE.read_bytes()).exit_code == 0
    assert len(desk.facts) == len(ROWS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base": "two"}, "column `base`: `two`, expected an integer"),
        ({"kind": "upheldd"}, "did you mean `upheld`?"),
        ({"at": None}, "column `at`: missing"),
        ({"known_at": "2015-06-01"}, "the row says its `known_at`, which the log sets itself"),
    ],
)
def test_a_bad_row_stops_before_anything_is_sent(desk: Desk, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = jsonl(tmp_path / "facts.jsonl", [*ROWS[:2], {**ROWS[2], **change}, *ROWS[3:]])
    result = push(desk, path)
    assert isinstance(result.exception, strikeout.FactError)
    assert f"facts.jsonl:3: {said}" in str(result.exception) or said in str(result.exception)
    assert f"1 of {len(ROWS)} facts cannot be used" in str(result.exception)
    assert desk.batches == []


def test_rejects_are_written_and_the_rest_is_pushed(desk: Desk, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "facts.jsonl", [{**ROWS[0], "at": "x"}, *ROWS[1:]])
    rejects = tmp_path / "rejects.jsonl"
    result = push(desk, path, "--rejects", rejects)
    assert result.exit_code == 3
    assert f"given {len(ROWS)} = appended {len(ROWS) - 1} + in the log before 0 + rejected 1" in result.stderr
    (line,) = rejects.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["place"] == f"{path}:1"
    assert json.loads(line)["row"]["at"] == "x"


def test_a_push_that_breaks_off_says_how_far_it_came_and_goes_on_later(desk: Desk) -> None:
    desk.failures = [(2, 409)]
    stopped = push(desk, EXAMPLE, "--batch", "3")
    assert stopped.exit_code == 1
    assert f"stopped after 6 of {len(ROWS)} facts: the service refused the request (409): as told" in stopped.stderr
    assert len(desk.facts) == 6
    resumed = push(desk, EXAMPLE, "--batch", "3")
    assert resumed.exit_code == 0
    assert f"appended {len(ROWS) - 6} + in the log before 6 +" in resumed.stderr
    assert len(desk.facts) == len(ROWS)


def test_a_lost_connection_and_a_busy_service_are_got_over(desk: Desk) -> None:
    desk.failures = [(0, 503), (1, 0), (1, 429), (2, 0)]
    assert push(desk, EXAMPLE, "--batch", "3").exit_code == 0
    assert desk.failures == []
    assert len(desk.facts) == len(ROWS)


def test_a_refusal_of_the_first_batch_leaves_nothing_written(desk: Desk) -> None:
    desk.failures = [(0, 403)]
    result = push(desk, EXAMPLE)
    assert isinstance(result.exception, strikeout.StrikeoutError)
    assert "(403)" in str(result.exception)
    assert desk.facts == {}


def test_the_key_comes_from_its_file(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("so_of_the_file\n", encoding="utf-8")
    assert push(desk, EXAMPLE, "--key-file", tmp_path / "key").exit_code == 0
    assert desk.keys == {"Bearer so_of_the_file"}
    gone = push(desk, EXAMPLE, "--key-file", tmp_path / "gone")
    assert "no such file or directory" in str(gone.exception)


@pytest.mark.parametrize("rejects", ["facts.csv", "./facts.csv"])
def test_a_file_that_is_read_is_not_written(desk: Desk, tmp_path: Path, rejects: str) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(EXAMPLE.read_bytes())
    result = push(desk, path, "--rejects", tmp_path / rejects)
    assert "which is read" in str(result.exception)
    assert path.read_bytes() == EXAMPLE.read_bytes()


def test_an_interrupt_says_how_far_it_came(desk: Desk) -> None:
    """What is on its way then may be in the log, too: the same command goes on in either case."""
    desk.failures = [(2, -1)]
    command = [*(sys.executable, "-m", "strikeout", "push", str(EXAMPLE)), "--to", desk.url, "--log", "orders"]
    with subprocess.Popen([*command, "--batch", "3"], stderr=subprocess.PIPE, env=os.environ) as process:
        assert desk.silent.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    lines = [line for line in said.decode().splitlines() if line]
    assert lines == [
        f"strikeout: stopped after 6 of {len(ROWS)} facts",
        "push again to go on: what the log has is not appended a second time",
        "strikeout: stopped",
    ]
    resumed = push(desk, EXAMPLE, "--batch", "3")
    assert f"appended {len(ROWS) - 6} + in the log before 6 +" in resumed.stderr
    assert len(desk.facts) == len(ROWS)


def test_an_interrupt_before_that_says_that_nothing_was_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("strikeout.client.pushing.Staged.take", interrupted)
    found = push(desk, EXAMPLE)
    assert isinstance(found.exception, SystemExit)
    assert "strikeout: stopped while rows were checked: nothing was sent" in found.stderr
    assert desk.facts == {}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of the client, which are not waited."""
    found: list[float] = []
    monkeypatch.setattr("strikeout.client.clients.time.sleep", found.append)
    return found


def test_nobody_there_is_a_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], slept: list[float]
) -> None:
    """Soon, and before anything is read."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("sys.argv", ["strikeout", "push", "-", "--to", url, "--log", "orders"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "no answer from the service in 3 attempts" in said
    assert f"is there a service at `{url}`?" in said
    assert len(slept) == 2
    assert 1.0 < sum(slept) <= 3.0


def test_who_was_reached_once_is_waited_for(desk: Desk, slept: list[float]) -> None:
    """A service that is started anew in between, or away for a minute, stops no push."""
    desk.failures = [(1, 0)] * 9
    assert push(desk, EXAMPLE, "--batch", "3").exit_code == 0
    assert len(slept) == 9
    assert sum(slept) > 40
    assert len(desk.facts) == len(ROWS)


def test_a_connection_that_nobody_takes_or_refuses_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    from strikeout.client import Client, Retries, ServiceUnreachable

    given: list[dict[str, float]] = []

    def never(request: httpx.Request) -> httpx.Response:
        given.append(request.extensions["timeout"])
        raise httpx.ConnectTimeout("", request=request)

    for timeout, connecting in ((30.0, 5.0), (2.0, 2.0)):
        http = httpx.Client(transport=httpx.MockTransport(never))
        client = Client("http://nobody.example", timeout=timeout, retries=Retries(1), http=http)
        with pytest.raises(ServiceUnreachable, match=f"no connection within {connecting:g} s"):
            client.logs()
        assert (given[-1]["connect"], given[-1]["read"]) == (connecting, timeout)
        http.close()
