"""The commands about rulesets: check, test, list, show, new, schema, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import strikeout
from strikeout.cli import main
from strikeout.machine.compiled import CompiledProgram
from strikeout.reach.library import shipped_names

Done = tuple[int, str, str]


class Shell:
    """Runs commands in a folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.monkeypatch = monkeypatch
        monkeypatch.chdir(folder)
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)

    def __call__(self, *words: str) -> Done:
        """Run a command; its exit code, its output and what it said besides."""
        self.monkeypatch.setattr(sys, "argv", ["strikeout", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        code = ended.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    def write(self, name: str, text: str) -> str:
        """Write a file; its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


SMALL = """\
ruleset: small
subject: seller
timezone: UTC
facts:
  act: {input: true, fields: {id: id}}
  strike: {fields: {id: id}}
rules:
  strike: {title: {zh: 计次, en: a strike}, when: act, then: strike}
"""

PASSES = """\
ruleset: small
cases:
  an-act-is-a-strike:
    title: {zh: 行为计次, en: an act is a strike}
    subject: s
    facts: [{at: 2015-01-05, act: {id: a}}]
    expect: {count: {strike: 1}}
"""

FAILS = PASSES.replace("strike: 1", "strike: 2").replace("an-act-is-a-strike", "an-act-is-two")


def test_check_says_what_was_fine(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    assert run("check", "small.yaml") == (0, "small.yaml: 1 rule, no problems\n", "")
    assert run("check", "small.yaml", "--lang", "zh") == (0, "small.yaml：规则 1 条，无问题\n", "")


def test_check_without_names_checks_all_that_ship(run: Shell) -> None:
    code, out, err = run("check")
    assert (code, err) == (0, "")
    assert [line.split(":")[0] for line in out.splitlines()] == shipped_names()


def test_check_shows_every_error_of_every_ruleset(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    run.write("wrong.yaml", SMALL.replace("then: strike", "then: strik").replace("when: act", "when: axt"))
    code, out, err = run("check", "wrong.yaml", "small.yaml")
    assert code == 1
    assert out == "small.yaml: 1 rule, no problems\n"
    assert "wrong.yaml:8:" in err
    assert "did you mean `act`?" in err
    assert "^^^" in err


def test_check_shows_warnings_which_are_no_error(run: Shell) -> None:
    run.write("small.yaml", SMALL + "parameters: {limit: 3}\n")
    code, out, err = run("check", "small.yaml")
    assert (code, out) == (0, "small.yaml: 1 rule, 1 warning\n")
    assert "warning: nothing uses the parameter `limit`" in err


def test_check_of_what_cannot_be_read_is_wrong_use(run: Shell) -> None:
    run.write("wrong.yaml", SMALL.replace("when: act", "when: axt"))
    code, out, err = run("check", "taobao-counterfit", "wrong.yaml", "missing.yaml", "taobao-counterfeit")
    assert code == 2
    assert out == "taobao-counterfeit: 7 rules, no problems\n"
    assert "unknown ruleset `taobao-counterfit`" in err
    assert "did you mean `taobao-counterfeit" in err
    assert "cannot read the file: no such file" in err
    assert "unknown kind `axt`" in err


def test_check_of_a_case_file(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    assert run("check", run.write("small.cases.yaml", PASSES)) == (0, "small.cases.yaml: 1 case, no problems\n", "")
    code, out, err = run("check", run.write("small.cases.yaml", PASSES.replace("expect", "expext")))
    assert (code, out) == (1, "")
    assert "did you mean `expect`?" in err


def test_test_runs_files_and_folders(run: Shell) -> None:
    run.write("a/small.yaml", SMALL)
    run.write("a/small.cases.yaml", PASSES)
    run.write("a/more/small.yaml", SMALL)
    run.write("a/more/other.cases.yaml", PASSES)
    assert run("test", "a") == (0, "2 passed, 0 failed\n", "")
    assert run("test", "a/small.cases.yaml", "--lang", "zh") == (0, "通过 1 个，失败 0 个\n", "")
    assert run("test", "a/more", "a/small.cases.yaml", "--engine", "compiled") == (0, "2 passed, 0 failed\n", "")


def test_test_without_paths_runs_all_that_ship(run: Shell) -> None:
    code, out, err = run("test", "-k", "github-repeat-infringer")
    assert (code, err) == (0, "")
    assert out.endswith(" passed, 0 failed\n")
    assert int(out.split()[0]) > 5


def test_test_runs_a_shipped_ruleset_by_name(run: Shell) -> None:
    code, out, err = run("test", "alibaba-procedure", "--engine", "compiled")
    assert (code, err) == (0, "")
    assert " passed, 0 failed\n" in out


def test_test_shows_what_fails_and_why(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    run.write("small.cases.yaml", PASSES + FAILS.split("cases:\n")[1])
    code, out, err = run("test", ".", "--lang", "zh")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "FAILED small: an-act-is-two (行为计次)"
    assert lines[1].startswith("  small.cases.yaml:12:22: 预期 `strike` 共 2 项，截至 2015-01-05T00:00:00+00:00")
    assert '"id": "a"' in out
    assert lines[-1] == "通过 1 个，失败 1 个"


def test_test_chooses_cases_by_a_pattern(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    run.write("small.cases.yaml", PASSES + FAILS.split("cases:\n")[1])
    assert run("test", ".", "-k", "is-a-strike")[:2] == (0, "1 passed, 0 failed\n")
    assert run("test", ".", "-k", "an-*-strike")[:2] == (0, "1 passed, 0 failed\n")
    assert run("test", ".", "-k", "SMALL")[0] == 1
    code, out, err = run("test", ".", "-k", "an-act-is-too")
    assert (code, out) == (2, "")
    assert "no case matches `an-act-is-too`; did you mean `an-act-is-two`?" in err


def test_test_of_a_wrong_case_file_is_wrong_use_and_runs_the_others(run: Shell) -> None:
    run.write("small.yaml", SMALL)
    run.write("a.cases.yaml", PASSES)
    run.write("b.cases.yaml", PASSES.replace("ruleset: small", "ruleset: smal"))
    code, out, err = run("test", ".")
    assert (code, out) == (2, "1 passed, 0 failed\n")
    assert "b.cases.yaml:1:10: error: unknown ruleset `smal`" in err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "there is no `nowhere`"),
        ("nowhere.cases.yaml", "cannot read the file"),
        ("empty", "no case files (`*.cases.yaml`) in `empty`"),
        ("small.yaml", "the file does not say `cases`"),
    ],
)
def test_test_of_what_is_not_there_is_wrong_use(run: Shell, path: str, message: str) -> None:
    (run.folder / "empty").mkdir()
    run.write("small.yaml", SMALL)
    code, out, err = run("test", path)
    assert (code, out) == (2, "")
    assert message in err


def test_list_shows_what_ships(run: Shell) -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert lines[0] == ["ruleset", "title", "version", "rules", "cases"]
    assert [line[0] for line in lines[2:]] == shipped_names()
    assert all(int(line[-1]) > 0 and int(line[-2]) > 0 for line in lines[2:])


def test_list_as_json_lines(run: Shell) -> None:
    _, out, _ = run("list", "--format", "jsonl", "--lang", "zh")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["ruleset"] for record in records] == shipped_names()
    assert list(records[0]) == ["ruleset", "title", "version", "rules", "cases"]
    assert any("淘宝" in record["title"] for record in records)


def test_show_is_a_document(run: Shell) -> None:
    code, out, err = run("show", "taobao-counterfeit")
    assert (code, err) == (0, "")
    assert out.startswith("# Taobao counterfeit sales: three strikes and points\n")
    assert "| `strike_limit` | `3` |" in out
    assert "if    count(strike by complainant, right) >= strike_limit" in out
    assert "Clauses: TB2, TB10, TB14" in out
    assert "| 1 | `three-strikes` | `strike` | `strike` |  | `closure` |" in out
    assert "void  upheld by complaint" in out
    assert out.count("```") % 2 == 0


def test_show_with_parameters_and_in_chinese(run: Shell) -> None:
    code, out, _ = run("show", "taobao-counterfeit", "--set", "strike_limit=4", "--lang", "zh")
    assert code == 0
    assert "| `strike_limit` | `4` |" in out
    assert "## 参数" in out
    assert run("show", "taobao-counterfeit", "--set", "strike_limt=4")[0] == 2


def test_show_code_is_what_runs(run: Shell) -> None:
    code, out, err = run("show", "taobao-counterfeit", "--code", "--set", "strike_limit=4")
    ruleset = strikeout.load("taobao-counterfeit").with_parameters({"strike_limit": 4})
    program = CompiledProgram(ruleset.model)
    assert (code, err, out) == (0, "", program.source())
    assert "if of_complainant_right_2[5] >= 4:" in out
    for rule in (*ruleset.model.rules, *ruleset.model.void_rules):
        assert f"# {rule.name} (shipped:taobao-counterfeit.yaml:{rule.span.line})\n" in out
    space: dict[str, object] = {}
    exec(compile(out, "<shown>", "exec"), space)
    assert space["run"].__code__.co_code == program._run.__code__.co_code  # type: ignore[attr-defined]
    assert space["run"].__code__.co_consts == program._run.__code__.co_consts  # type: ignore[attr-defined]


def test_show_code_for_numba_is_its_kernel(run: Shell) -> None:
    code, out, err = run("show", "three-strikes", "--code", "--numba")
    assert code == 2
    code, out, err = run("show", "taobao-counterfeit", "--code", "--numba")
    assert (code, err) == (0, "")
    assert out == CompiledProgram(strikeout.load("taobao-counterfeit").model).kernel()[0].source
    assert "# three-strikes (shipped:taobao-counterfeit.yaml:" in out
    assert run("show", "taobao-counterfeit", "--numba")[0] == 2
    assert run("show", "taobao-counterfeit", "--code", "--format", "md")[0] == 2


@pytest.mark.parametrize("name", ["taobao-counterfeit-full", "alibaba-procedure"])
def test_code_does_not_depend_on_the_process(name: str) -> None:
    command = [sys.executable, "-m", "strikeout", "show", name, "--code"]
    texts = {
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_show_has_ladders_as_tables_and_what_is_scheduled(run: Shell) -> None:
    _, out, _ = run("show", "alibaba-1688-serious")
    assert "| reaching | what follows |\n| --- | --- |\n| 1 | " in out
    _, out, _ = run("show", "alibaba-procedure")
    assert "`counter_notice_due` (scheduled)" in out
    assert "then  counter_notice_due (at = at + counter_notice_period)" in out


def test_show_of_nothing_is_wrong_use(run: Shell) -> None:
    code, out, err = run("show", "nothing")
    assert (code, out) == (2, "")
    assert "unknown ruleset `nothing`" in err


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["my-policy", "on", "12", "0x1", "政策", "a", "null", "1_000"])
def test_new_writes_what_checks_clean_and_passes(run: Shell, name: str, language: str) -> None:
    assert run("new", name, "--lang", language) == (0, f"{name}.yaml\n{name}.cases.yaml\n", "")
    code, out, err = run("check", f"{name}.yaml", f"{name}.cases.yaml", "--lang", "en")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"{name}.yaml: 3 rules, no problems"
    assert run("test", ".", "--lang", "en") == (0, "3 passed, 0 failed\n", "")


def test_new_overwrites_nothing(run: Shell) -> None:
    run.write("mine.cases.yaml", "kept")
    code, out, err = run("new", "mine")
    assert (code, out) == (2, "")
    assert "`mine.cases.yaml` is there already" in err
    assert [path.name for path in run.folder.iterdir()] == ["mine.cases.yaml"]
    assert (run.folder / "mine.cases.yaml").read_text() == "kept"


@pytest.mark.parametrize("name", ["a/b", "../a", "a.yaml", "", "a b", "x" * 81, "taobao-counterfeit"])
def test_new_takes_a_bare_name_of_its_own(run: Shell, name: str) -> None:
    code, out, err = run("new", name)
    assert (code, out) == (2, "")
    assert err.startswith("strikeout: ")
    assert list(run.folder.iterdir()) == []


@pytest.mark.parametrize("what", ["ruleset", "vocabulary", "calendar", "cases"])
def test_schema_is_json(run: Shell, what: str) -> None:
    code, out, err = run("schema", what)
    assert (code, err) == (0, "")
    assert json.loads(out)["type"] == "object"


def test_schema_of_nothing_is_wrong_use(run: Shell) -> None:
    assert run("schema", "nothing")[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Shell, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_STRIKEOUT_COMPLETE" in out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("strikeout sh", "show"),
        ("strikeout show taobao-", "taobao-counterfeit"),
        ("strikeout check alibaba-1688 git", "github-repeat-infringer"),
        ("strikeout test alibaba-pro", "alibaba-procedure"),
        ("strikeout schema voc", "vocabulary"),
    ],
)
def test_the_shell_completes_commands_and_names(words: str, wanted: str) -> None:
    environment = {
        **os.environ,
        "_STRIKEOUT_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "strikeout"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert wanted in [line.split(",")[-1] for line in done.stdout.splitlines()], done.stderr


def test_a_file_completes_where_no_name_fits() -> None:
    from strikeout.commands.names import complete
    from strikeout.commands.show import show_command

    (item,) = complete(click.Context(show_command), show_command.params[0], "./mine")
    assert (item.type, item.value) == ("file", "./mine")
