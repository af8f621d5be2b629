"""What docs/operate.md says is so: metrics, limits, variables, codes, what is logged; its commands on a log are run."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

for _module in ("starlette", "uvicorn", "httptools"):
    pytest.importorskip(_module, reason="the service needs the extra `service`, which is not installed")

import strikeout  # noqa: E402
from strikeout.cli import commands  # noqa: E402
from strikeout.log import Activation, new_fact, open_database  # noqa: E402
from strikeout.rows import Binder  # noqa: E402
from strikeout.service import metrics, problems, types  # noqa: E402
from strikeout.service.keys import REMEMBERED, SCOPES  # noqa: E402
from strikeout.service.limits import Limits  # noqa: E402
from strikeout.service.table import ROUTES  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "docs" / "operate.md", ROOT / "docs" / "operate.zh.md"]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
LIMITS = {
    "--workers": "workers",
    "--cache": "cached_facts",
    "--max-body": "body",
    "--timeout": "seconds",
    "--rate": "rate",
}

pages = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


def lines(text: str) -> list[str]:
    """Give the lines of the page's blocks of commands, those that were broken put together."""
    found = [block.replace("\\\n", " ") for kind, block in BLOCK.findall(text) if kind == "sh"]
    return [line.strip() for block in found for line in block.splitlines()]


def section(text: str, number: int) -> str:
    return re.split(r"^## .*\n", text, flags=re.MULTILINE)[number]


def test_both_languages_say_the_same() -> None:
    english, chinese = TEXTS.values()
    assert BLOCK.findall(english) == BLOCK.findall(chinese)
    spans = [sorted(set(re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)))) for text in (english, chinese)]
    assert spans[0] == spans[1]
    assert [len(re.split(r"^## ", t, flags=re.MULTILINE)) for t in (english, chinese)] == [11, 11]
    tables = [[line.count("|") for line in text.splitlines() if line.startswith("|")] for text in (english, chinese)]
    assert tables[0] == tables[1]


@pages
def test_metrics_are_those_of_the_service(text: str) -> None:
    named = set(re.findall(r"`strikeout_(\w+)`", text))
    assert named == set(metrics.HELP)


@pages
def test_limits_are_those_of_the_service(text: str) -> None:
    limits = dataclasses.asdict(Limits())
    told = dict(re.findall(r"^\| `(--[\w-]+)` \| ([\d,]+) \|", text, re.MULTILINE))
    assert {option: int(number.replace(",", "")) for option, number in told.items()} == {
        option: limits[name] for option, name in LIMITS.items()
    }
    assert f"{limits['facts']:,}" in text
    assert f"{limits['queue']}" in section(text, 9)
    assert REMEMBERED == 2


@pages
def test_variables_are_read_by_commands(text: str) -> None:
    read = {
        parameter.envvar
        for name in ("serve", "key", "log")
        for command in [commands.commands[name], *getattr(commands.commands[name], "commands", {}).values()]
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }
    named = set(re.findall(r"\bSTRIKEOUT_\w+", text))
    assert named == {"STRIKEOUT_DB"}
    assert named <= read


@pages
def test_codes_and_statuses_are_those_of_the_service(text: str) -> None:
    said = re.findall(r"\b(\d{3})\W{1,2}`([\w-]+)`", text)
    assert len(said) > 5
    for status, code in said:
        assert problems.CODES[code][0] == int(status), code
    (codes,) = re.findall(r"`strikeout_refused_total` \|(.*)\|", text)
    for code in re.findall(r"`([\w-]+)`", codes):
        assert code == "code" or code in problems.CODES


@pages
def test_scopes_and_paths_are_those_of_the_service(text: str) -> None:
    assert set(re.findall(r"--scope (\w+)", text)) == set(SCOPES)
    paths = set(re.findall(r"(?:8080|[`])(/(?:v1/[\w./-]+|healthz|readyz|metrics))", text))
    known = [re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path)) for route in ROUTES]
    for path in paths:
        assert any(pattern.fullmatch(path) for pattern in known), path
    without_key = {route.path for route in ROUTES if not route.scope}
    assert without_key == {"/healthz", "/readyz", "/metrics", "/v1/openapi.json"}
    (body,) = re.findall(r"-d '(\{.*\})'", text)
    assert set(re.findall(r'"(\w+)": ', body)) <= {"ruleset", "from", "text", "set"}
    assert "from_" in types.NewActivation.__struct_fields__


@pages
def test_the_members_of_a_line_of_the_log_are_those_written(text: str) -> None:
    from strikeout.service import app, records, server

    source = "".join(inspect.getsource(module) for module in (app, records, server))
    (told,) = re.findall(r"`time`.*?`ms`", section(text, 9), re.DOTALL)
    for member in re.findall(r"`([a-z]+)`", told):
        assert f'"{member}"' in source, member
    for event in ("listening", "request", "trouble", "stopped"):
        assert f"`{event}`" in text
        assert f'"{event}"' in source or f'"event": "{event}"' in source


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a database with a log of four records and two keys, named by the variable."""
    path = tmp_path / "var" / "lib" / "strikeout" / "log.db"
    path.parent.mkdir(parents=True)
    (tmp_path / "var" / "backups" / "strikeout").mkdir(parents=True)
    ruleset = strikeout.load("taobao-counterfeit")
    with open_database(str(path)) as found:
        log = found.create("taobao")
        log.append_activation(Activation(found.put_bundle(strikeout.bundle_of(ruleset)), from_=0))
        row = {"kind": "withdrawal", "at": "2015-01-05", "seller": "s"}
        log.append([new_fact(Binder(ruleset.model), {**row, "complaint": f"c{n}"}, f"k{n}") for n in range(3)])
    monkeypatch.setenv("STRIKEOUT_DB", str(path))
    monkeypatch.chdir(tmp_path)
    return path


@pages
def test_the_commands_on_keys_and_logs_run(text: str, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = database.parents[3]
    said: dict[str, str] = {}
    wanted = [line for line in lines(text) if re.match(r"strikeout (key|log|check|test|diff)\b", line)]
    assert len(wanted) >= 12
    for line in wanted:
        if "rulesets-of-mine" in line:
            continue
        if " import " in line:
            monkeypatch.setenv("STRIKEOUT_DB", str(root / "restored.db"))
        head = re.search(r"head (\d+:\w+)", "".join(said.values()))
        words = shlex.split(line.replace(" /var/", f" {root}/var/"))[1:]
        if "--head" in words:
            assert head
            assert words[-1].startswith(head[1].partition(":")[0] + ":")
            words[-1] = head[1]
        done = CliRunner().invoke(commands, words)
        assert done.exit_code == 0, f"{line}\n{done.output}{done.exception}"
        said[line] = done.output
    heads = {h for output in said.values() for h in re.findall(r"head (\d+:\w{64})", output)}
    assert len(heads) == 1
    assert {name for line in said for name in re.findall(r"--name ([\w-]+)", line)} >= {"operator", "dashboard"}


@pages
def test_a_cut_off_end_is_seen_by_the_head_that_was_noted(text: str, database: Path) -> None:
    runner = CliRunner()
    copy = database.with_name("copy.db")
    runner.invoke(commands, ["log", "backup", str(copy)])
    ruleset = strikeout.load("taobao-counterfeit")
    with open_database(str(database)) as found:
        row = {"kind": "withdrawal", "at": "2015-01-06", "seller": "s", "complaint": "c9"}
        found.log("taobao").append([new_fact(Binder(ruleset.model), row, "k9")])
        head = found.log("taobao").head()
    lost = runner.invoke(
        commands, ["log", "verify", "--db", str(copy), "--log", "taobao", "--head", f"{head.position}:{head.hash}"]
    )
    assert lost.exit_code == 1
    assert "position 5" in lost.output
    assert "1" in text
