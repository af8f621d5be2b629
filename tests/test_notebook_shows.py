"""What notebooks and prompts show: every answer as HTML that holds nothing but what it says, and as lines."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import strikeout
from strikeout.ground.problems import Problem, RunError, Source, Span
from strikeout.notebook.cells import Cells
from strikeout.notebook.completion import matcher, words
from strikeout.notebook.options import options
from strikeout.notebook.problem_page import problems_html
from strikeout.why.tree import Branch, to_html

ROOT = Path(__file__).resolve().parent.parent
THREE = (ROOT / "docs" / "three.yaml").read_text(encoding="utf-8")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\u202e]]>-->`x`"
IDS = ("s", "小明", HOSTILE, "长" * 3_000)
VOID = {"br", "img", "meta", "rect", "circle", "line", "path", "polygon", "hr"}
ALLOWED = {
    *("section", "p", "b", "br", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "style", "code"),
    *("details", "summary", "ul", "li", "figure", "pre", "span"),
    *("svg", "title", "desc", "g", "rect", "circle", "line", "path", "polygon", "polyline", "text", "tspan", "defs"),
}


class Page(HTMLParser):
    """Reads HTML and keeps what is wrong with it: tags left open, tags and attributes that a card has no use for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.told: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        self.wrong += [f"{tag} is left open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
        self.wrong += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.told.append(data)


def upheld(at: str, complaint: str, who: str = "s", **more: object) -> dict[str, object]:
    fact = {"kind": "upheld", "at": at, "seller": who, "complaint": complaint, "complainant": who, "right": who}
    return {**fact, "finding": "counterfeit", "base": 2, **more}


def history(who: str) -> list[dict[str, object]]:
    return [
        upheld(day, f"{n}{who}", who) for n, day in enumerate(["2015-01-05", "2015-01-06", "2015-01-15", "2015-02-21"])
    ]


def answers(who: str) -> dict[str, Any]:
    """Everything that shows itself, with an id wherever one can stand."""
    ruleset = strikeout.load("taobao-counterfeit")
    outcome = ruleset.run(history(who), engine="compiled")
    full = strikeout.load("taobao-counterfeit-full")
    notice = {"kind": "notice", "at": "2015-01-05", "seller": who, "complaint": who, "claim": "counterfeit"}
    waiting = full.run([{**notice, "complainant": who, "right": who}], engine="compiled")
    withdrawal = {"kind": "withdrawal", "at": "2015-03-01", "seller": who, "complaint": f"3{who}"}
    return {
        "ruleset": strikeout.load("alibaba-1688"),
        "outcome": outcome,
        "conclusions": outcome.facts,
        "conclusion": outcome.facts[0],
        "why": outcome.why("closure"),
        "why-not": outcome.why_not(who, "violation"),
        "what-if": outcome.what_if(add=[withdrawal]),
        "remedies": outcome.remedies(who),
        "next": ruleset.run(history(who)[:3], engine="compiled").next_sanctions(who),
        "deadlines": waiting.deadlines(who),
        "difference": ruleset.diff("taobao-counterfeit-full"),
        "timeline": outcome.timeline(who, "zh"),
        "complaints": outcome.draw(),
        "firings": outcome.draw("firings", who),
        "rules": ruleset.draw(),
    }


class Printer:
    """What IPython hands to `_repr_pretty_`."""

    def __init__(self) -> None:
        self.written = ""

    def text(self, text: str) -> None:
        self.written += text


@pytest.mark.parametrize("who", IDS, ids=["plain", "chinese", "hostile", "long"])
def test_whatever_an_id_holds_is_text(who: str) -> None:
    for name, shown in answers(who).items():
        text = shown._repr_html_()
        page = Page(text)
        assert page.wrong == [], name
        assert len(text) < 100_000, name
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), name
        printer = Printer()
        shown._repr_pretty_(printer, False)
        assert printer.written.strip(), name
        assert len(repr(shown)) < 15_000, name
        tables = [attributes for tag, attributes in page.tags if tag == "th"]
        assert all(attributes.get("scope") == "col" for attributes in tables), name
        told = "".join(page.told)
        assert who[:40] in told or name in ("ruleset", "difference", "rules") or "svg" in text, name


def test_answers_speak_chinese_where_asked() -> None:
    found = answers("小明")
    for name in ("ruleset", "outcome", "why", "why-not", "what-if", "remedies", "next", "deadlines", "difference"):
        english, chinese = found[name].html(), found[name].html("zh")
        assert 'lang="en"' in english, name
        assert 'lang="zh"' in chinese, name
        assert found[name].text("zh") != found[name].text(), name
    assert "… 另有 8 行" in found["conclusions"].html("zh", most=3)
    assert len(found["conclusions"].text("zh", most=3).splitlines()) == 5


def test_what_is_shown_is_bounded_and_says_what_it_leaves_out() -> None:
    sellers = [upheld("2015-01-05", f"c{n}", f"s{n}") for n in range(2_000)]
    outcome = strikeout.load("taobao-counterfeit").run(sellers, engine="compiled")
    page = outcome._repr_html_()
    assert len(page) < 30_000
    assert "… and 1,980 more" in page  # sellers
    assert f"… and {len(outcome.facts) - 50:,} more" in page
    assert "good-standing 2,000" in page
    wide = [Branch(f"{n}", (Branch("below"),)) for n in range(1_000)]
    page = to_html(wide, "en")
    assert "… and 1,500 more" in page
    assert Page(page).wrong == []


def test_a_ruleset_shows_rules_clauses_ladders_and_what_voids() -> None:
    page = strikeout.load("alibaba-1688-serious")._repr_html_()
    told = " ".join(Page(page).told)
    for part in ("strike-ladder", "B76, B94", "restriction (until = at + 7d)", "voids upheld by complaint", "closure"):
        assert part in told, part
    warned = strikeout.load_text(THREE.replace("  merge_window: 72h", "  merge_window: 72h\n  limit: 3"))
    assert "nothing uses the parameter `limit`" in warned._repr_html_()


def test_files_of_facts_show_counts_and_the_first_rows(tmp_path: Path) -> None:
    rows = strikeout.read(ROOT / "docs" / "example.csv")
    page = rows._repr_html_()
    assert "8 rows · upheld 7, withdrawal 1" in page
    assert Page(page).wrong == []
    assert rows.text("zh").splitlines()[1] == "8 行 · upheld 7, withdrawal 1"
    many = tmp_path / "many.csv"
    lines = "".join(f"upheld,2015-01-05,s{n},c{n},h,r,counterfeit,2\n" for n in range(50_010))
    many.write_text(f"kind,at,seller,complaint,complainant,right,finding,base\n{lines}", encoding="utf-8")
    assert "the first 50,000 rows · upheld 50,000" in strikeout.read(many).text()
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"kind": "<b>"}\n{', encoding="utf-8")
    assert "broken.jsonl:2: " in strikeout.read(broken)._repr_html_()
    assert "which is not read" in strikeout.read("-")._repr_html_()


# --- cells


class Shell:
    """As much of IPython's shell as the extension asks for."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.magics: dict[str, Any] = {}
        self.shown: list[dict[str, str]] = []
        self.by_type: dict[str, dict[type, Any]] = {"text/html": {}, "text/plain": {}}
        self.display_pub = SimpleNamespace(publish=self.shown.append)
        self.display_formatter = SimpleNamespace(
            formatters={form: SimpleNamespace(for_type=found.__setitem__) for form, found in self.by_type.items()}
        )
        self.magics_manager = SimpleNamespace(magics={"cell": {}, "line": {}})
        self.Completer = SimpleNamespace(custom_matchers=[])

    def register_magic_function(self, function: Any, kind: str, name: str) -> None:
        self.magics[name] = function
        for part in kind.split("_"):
            self.magics_manager.magics[part][name] = function

    def cell(self, magic: str, line: str, text: str) -> str:
        """Run a cell and give what it shows as text."""
        before = len(self.shown)
        self.magics[magic](line, text)
        for shown in self.shown[before:]:
            assert Page(shown["text/html"]).wrong == []
        return "\n".join(shown["text/plain"] for shown in self.shown[before:])


@pytest.fixture
def shell() -> Shell:
    found = Shell()
    importlib.import_module("strikeout").load_ipython_extension(found)
    return found


def test_a_cell_is_checked_bound_and_shown(shell: Shell) -> None:
    assert "three-strikes" in shell.cell("ruleset", "three", THREE)
    three = shell.user_ns["three"]
    assert isinstance(three, strikeout.Ruleset)
    outcome = three.run(strikeout.read(ROOT / "docs" / "example.csv"))
    assert outcome.status("xiaoming") == "closure"
    assert "评判对象 seller" in shell.cell("ruleset", "--lang zh", THREE)
    assert shell.user_ns["ruleset"].name == "three"
    assert shell.cell("ruleset", "three --quiet --set merge_window=24h", THREE) == ""
    assert "merge_window = 1d" in shell.user_ns["three"].text()


def test_problems_stand_under_their_lines_with_the_numbers_of_the_cell(shell: Shell) -> None:
    shell.cell("ruleset", "three --quiet", THREE)
    text = shell.cell(
        "ruleset", "three", THREE.replace("none(strike", "none(strik").replace("terminal: c", "terminal: k")
    )
    assert "three" not in shell.user_ns
    assert "three:16:41: error: unknown kind `strik` [unknown-kind]" in text
    assert "did you mean `strike`?" in text
    assert text.endswith("`three` is not bound: correct the cell and run it again")
    page = shell.shown[-1]["text/html"]
    lines = "".join(Page(page).told)
    # The line, what is wrong below it, and only then the next line.
    assert re.search(r"16    if: finding.*\n?error: unknown kind `strik`.*\n.*`strike`\?17    then: strike", lines)
    assert re.search(r"<span style=\"text-decoration:underline[^\"]*\">strik</span>", page)


def test_what_is_wrong_is_text_in_problems_too() -> None:
    source = Source(HOSTILE, f"a: {HOSTILE}\n" + "字" * 5_000 + "\nb")
    spans = [Span(source, 3, 10), Span(source, 0, 1), Span(source, len(source.text) - 1, len(source.text))]
    middle = source.text.index("字") + 3_000
    problems = [Problem("code", f"wrong: {HOSTILE}", span, HOSTILE, ((HOSTILE, span),)) for span in spans]
    problems += [Problem("code", "in the middle", Span(source, middle, middle + 2_000))] * 40
    page = problems_html(problems)
    assert Page(page).wrong == []
    assert "… and 13 more" in page
    assert len(page) < 60_000
    empty = Source("empty", "")
    assert "error: nothing there" in problems_html([Problem("code", "nothing there", Span(empty, 0, 0))])


def test_warnings_are_shown_and_do_not_stop_a_ruleset(shell: Shell) -> None:
    text = shell.cell("ruleset", "three", THREE.replace("  merge_window: 72h", "  merge_window: 72h\n  limit: 3"))
    assert "three:11:3: warning: nothing uses the parameter `limit` [unused]" in text
    assert "three" in shell.user_ns


def test_a_cell_extends_the_ruleset_of_another(shell: Shell) -> None:
    shell.cell("ruleset", "three", THREE)
    shell.cell("ruleset", "short", "ruleset: short\nversion: 1\nextends: three\nparameters:\n  merge_window: 12h\n")
    assert "merge_window = 12h" in shell.user_ns["short"].text()
    again = shell.user_ns["short"].with_parameters({"merge_window": "1h"})
    assert "merge_window = 1h" in again.text()
    text = shell.cell("ruleset", "other", "ruleset: other\nversion: 1\nextends: thre\n")
    assert "unknown ruleset `thre`" in text
    assert "did you mean `three`?" in text
    assert "three" in set(Cells([shell.user_ns["three"]]).names("ruleset", Source("x", "")))


CASES = """
ruleset: three
cases:
  one:
    title: {en: one strike, zh: 一次}
    subject: s
    facts: [{at: 2015-01-05, upheld: {complaint: c, complainant: h, right: r, finding: counterfeit}}]
    expect: {count: {strike: NUMBER}}
"""


def test_cases_are_run_in_a_cell_and_again_by_name(shell: Shell) -> None:
    shell.cell("ruleset", "three --quiet", THREE)
    assert shell.cell("cases", "prose", CASES.replace("NUMBER", "1")) == "1 cases, all passed\n✓ one: one strike"
    shell.cell("ruleset", "three --quiet", THREE.replace("finding == counterfeit", "finding == general"))
    shell.magics["cases"]("prose --lang zh")
    failed = shell.shown[-1]["text/plain"]
    assert failed.startswith("1 个用例中 1 个未通过\n✗ one: 一次\n")
    assert "finding == general" in failed
    assert "prose:9:22: " in shell.cell("cases", "prose", CASES.replace("NUMBER", "2"))
    assert "error: " in shell.cell("cases", "", "ruleset: nowhere\ncases: {}\n")


def test_the_language_of_all_that_is_shown(shell: Shell) -> None:
    shell.magics["strikeout"]("--lang zh")
    outcome = strikeout.load("taobao-counterfeit").run(history("小明"), engine="compiled")
    [shown] = [found for kind, found in shell.by_type["text/html"].items() if isinstance(outcome, kind)]
    assert "截至 2015-02-21" in shown(outcome)
    printer = Printer()
    [pretty] = [found for kind, found in shell.by_type["text/plain"].items() if isinstance(outcome, kind)]
    pretty(outcome, printer, False)
    assert printer.written.startswith("淘宝售假")
    assert "评判对象" in shell.cell("ruleset", "three", THREE)
    importlib.import_module("strikeout").unload_ipython_extension(shell)
    assert shell.magics_manager.magics == {"cell": {}, "line": {}}
    assert shell.Completer.custom_matchers == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a b", "`b` is one name too many"),
        ("a-b", "`a-b` is no name that a variable can have"),
        ("--long zh", "unknown option `--long`; did you mean `--lang`?"),
        ("--lang fr", "`fr` is no language; known are `en`, `zh`"),
        ("--lang", "`--lang` needs a value"),
        ("--set a", "`--set` takes PARAM=VALUE, got `a`"),
        ("'a", "a quotation mark is not closed in `'a`"),
    ],
)
def test_wrong_options_are_told(line: str, message: str) -> None:
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        options(line, ("NAME", "--lang", "--set", "--quiet"))


def test_wrong_use_of_a_magic_is_told_without_a_traceback(shell: Shell) -> None:
    for magic, line in (("strikeout", ""), ("strikeout", "x"), ("cases", "nowhere")):
        with pytest.raises(Exception, match="`") as caught:
            shell.magics[magic](line)
        assert type(caught.value).__name__ in ("UsageError", "StrikeoutError")


def test_completion_offers_the_words_of_the_language() -> None:
    cell = "%%ruleset\nvocabulary: ip-complaints\nparameters: {my_window: 72h}\nrules:\n  a: {when: uph"
    assert {"upheld", "withdrawal", "my_window", "terminal", "count", "coalesce", "taobao-counterfeit"} <= set(
        words(cell)
    )
    assert {"expect", "cases", "status"} <= set(words("%%cases\nruleset: taobao-counterfeit\n"))
    elsewhere = SimpleNamespace(full_text="a = 1\nb", cursor_line=1)
    assert matcher(elsewhere) == {"completions": []}


def test_completion_in_ipython() -> None:
    pytest.importorskip("IPython")
    cell = "%%ruleset\nvocabulary: ip-complaints\nrules:\n  a: {when: uph"
    context = SimpleNamespace(full_text=cell, cursor_line=3, text_until_cursor="  a: {when: uph", token="uph")
    found = matcher(context)
    assert [completion.text for completion in found["completions"]] == ["upheld"]
    assert found["suppress"] is True


def test_strikeout_is_imported_without_ipython() -> None:
    code = "import sys, strikeout, strikeout.notebook.extension; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"
