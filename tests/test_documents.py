"""Rulesets as documents: nothing of them is lost, nothing of them is markup, and a page needs nothing else."""

from __future__ import annotations

import functools
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import generate
import pytest
from click.testing import CliRunner

import strikeout
from strikeout.cli import commands
from strikeout.documents.blocks import Block, Code, Figure, Heading, Table, Text
from strikeout.documents.markdown import markdown
from strikeout.documents.page import page
from strikeout.documents.policy import policy_document
from strikeout.gate.case_files import read_cases
from strikeout.gate.case_model import Case
from strikeout.ground.problems import StrikeoutError
from strikeout.model import Ruleset
from strikeout.reach.library import Files, shipped, shipped_cases, shipped_names

VOID = {"meta", "link", "br", "hr", "img"}
each_ruleset = pytest.mark.parametrize("name", shipped_names())
each_language = pytest.mark.parametrize("language", ["zh", "en"])


@functools.cache
def given(name: str) -> tuple[Ruleset, tuple[Case, ...]]:
    source = shipped_cases(name)
    assert source is not None
    return strikeout.load(name).model, read_cases(source, Files()).cases


@functools.cache
def blocks(name: str, language: str) -> list[Block]:
    model, cases = given(name)
    return policy_document(model, language, cases)


class Balance(HTMLParser):
    """Reads a page: every element is closed where it was opened, and ids, links and texts are kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.keep(tag, attrs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.keep(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def keep(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found[name]) for name in ("href", "src") if name in found]


def flat(text: Text) -> str:
    return "".join(part.text if isinstance(part, Code) else part for part in text)


@each_language
@each_ruleset
def test_a_document_has_every_rule_parameter_and_case(name: str, language: str) -> None:
    model, cases = given(name)
    found = blocks(name, language)
    heads = [flat(block.text) for block in found if isinstance(block, Heading)]
    for rule in (*model.rules, *model.void_rules):
        assert sum(head == rule.name or head.endswith((f". {rule.name}", f" · {rule.name}")) for head in heads) == 1
    cells = {flat(cell) for block in found if isinstance(block, Table) for row in block.rows for cell in row}
    assert {parameter.name for parameter in model.parameters} <= cells
    assert sum(isinstance(block, Heading) and block.anchor.startswith("case-") for block in found) == len(cases)
    assert sum(isinstance(block, Figure) for block in found) == 1


@each_language
@each_ruleset
def test_a_page_is_whole_and_needs_nothing_else(name: str, language: str) -> None:
    made = page(blocks(name, language), language)
    read = Balance(made)
    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)
    assert all(link.startswith("#") for link in read.links)
    assert not read.tags & {"script", "link", "iframe", "img", "object"}
    assert "@import" not in made
    assert "url(" not in made.replace("url(#", "")
    assert {"main", "nav", "header", "h1", "title"} <= read.tags
    assert made.count("<h1") == 1


@each_language
@each_ruleset
def test_tables_of_markdown_have_as_many_cells_in_every_row(name: str, language: str) -> None:
    rows: list[int] = []
    fenced = False
    for line in markdown(blocks(name, language)).splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("|") and not fenced:
            rows.append(len(re.findall(r"(?<!\\)\|", line)))
            assert rows[-1] == rows[0], line
        else:
            rows = []


HOSTILE = """
ruleset: hostile
subject: seller
timezone: UTC
title: {en: "<script>alert(1)</script> & `x` *y* | z"}
note: {en: "# no heading &amp; [no link](http://x) <b>no tag</b>"}
enums: {finding: [a, b]}
facts:
  given:
    title: {en: "</table><img src=x onerror=y>"}
    input: true
    fields: {text: text, finding: finding}
  out: {fields: {finding: finding}}
parameters: {pattern: {value: "<i>`|`</i>", title: {en: "</style>"}}}
rules:
  one:
    title: {en: "]]><svg onload=z>"}
    cite: "<u>"
    when: given
    if: text == pattern and text != "</code><b>"
    then: out
"""


def test_nothing_of_a_ruleset_is_markup() -> None:
    model = strikeout.load_text(HOSTILE).model
    found = policy_document(model)
    read = Balance(page(found, "en"))
    assert not read.tags & {"script", "img", "b", "i", "u"}
    assert "<script>alert(1)</script> & `x` *y* | z" in read.text
    assert "</code><b>" in read.text
    made = markdown(found)
    prose = re.sub(r"^```\n.*?^```$|`` .*? ``|(?<!\\)`[^`]*`", "", made, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"(?<!\\)<", prose)
    assert made.startswith("# \\<script\\>alert(1)\\</script\\> & \\`x\\` \\*y\\* | z\n")
    assert "\\# no heading \\&amp; \\[no link\\](http://x)" in made


def show(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(commands, ["show", *arguments])
    said = str(result.exception) if isinstance(result.exception, StrikeoutError) else result.stderr
    return 2 if isinstance(result.exception, StrikeoutError) else result.exit_code, result.stdout, said


def test_show_writes_the_format_that_the_file_asks_for(tmp_path: Path) -> None:
    for name, start in (("a.html", "<!doctype html>"), ("a.md", "# Taobao"), ("a.yaml", "ruleset: taobao-counterfeit")):
        assert show("taobao-counterfeit", "-o", str(tmp_path / name), "--lang", "en") == (0, "", "")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    source = shipped("ruleset", "taobao-counterfeit")
    assert source is not None
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == source.text
    code, out, _ = show("taobao-counterfeit", "--format", "html", "--lang", "zh")
    assert code == 0
    assert '<html lang="zh-CN">' in out
    assert "同一投诉方同一权利第三次成立即查封" in out


def test_show_leaves_out_cases_that_may_not_hold(tmp_path: Path) -> None:
    assert "## Examples" in show("alibaba-procedure", "--lang", "en")[1]
    assert "## Examples" not in show("alibaba-procedure", "--no-cases", "--lang", "en")[1]
    assert "## Examples" not in show("taobao-counterfeit", "--set", "strike_limit=4", "--lang", "en")[1]
    code, _, err = show("taobao-counterfeit", "--format", "yaml", "--set", "strike_limit=4")
    assert code == 2
    assert "`--set` changes nothing" in err


def test_show_finds_the_cases_beside_a_file(tmp_path: Path) -> None:
    for name in ("alibaba-procedure.yaml", "alibaba-procedure.cases.yaml"):
        found = Path(__file__).parent.parent / "rulesets" / name
        (tmp_path / name).write_bytes(found.read_bytes())
    path = str(tmp_path / "alibaba-procedure.yaml")
    assert "## Examples" in show(path, "--lang", "en")[1]
    (tmp_path / "alibaba-procedure.cases.yaml").write_text("ruleset: nothing\n")
    code, out, err = show(path, "--lang", "en")
    assert (code, out) == (2, "")
    assert "nothing" in err


def test_a_case_with_parameters_of_its_own_says_so() -> None:
    text = show("taobao-counterfeit", "--lang", "en")[1]
    assert "With: `strike_limit = " in text


@each_language
def test_every_generated_ruleset_has_a_document(language: str) -> None:
    made = 0
    for seed in range(12):
        try:
            model = strikeout.load_text(generate.ruleset(random.Random(seed))).model
        except strikeout.RulesetError:
            continue
        found = policy_document(model, language)
        Balance(page(found, language))
        text = markdown(found)
        assert all(f"`{rule.name}`" in text for rule in model.rules)
        assert "\0" not in text
        made += 1
    assert made > 6
