"""Drawings: well formed, nothing cut or over another, the same on every run, safe with any id, folded where too much.

`STRIKEOUT_ACCEPT=1 pytest tests/test_drawings.py` writes the pictures in `drawings`, and `git diff` shows what changed.
"""

from __future__ import annotations

import datetime
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import strikeout
from click.testing import CliRunner
from strikeout.cli import commands
from strikeout.drawing import Drawing
from strikeout.graphs.draw_scale import DAY, HOUR, Scale
from strikeout.graphs.draw_text import clean, clusters, lines_of, shorten, text_width, wrap
from strikeout.zones import Zone

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "drawings"
SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES = ("zh", "en")
VIEWS = ("timeline", "complaints", "firings")

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'&<>]]>",
    "x" * 3000,
    "很长的名字" * 200,
    "שלום 123 עולם",
    "\u202egnp.exe\u202c",
    "a\x00\x07\x1b[31m\x7f\x9f",
    "a  b \u3000 c",
    "👩‍👩‍👧‍👦🇨🇳" * 10,
    "Z" + "\u0301" * 500,
    "﷽" * 20,
    "\ufffe\uffff\ue000\U000e0001",
    "--></style></svg>",
    "line\nbreak\u2028and\tmore",
    "%s {0} $& \\1",
]


def history(number: int, subject: str = "s", seed: int = 1) -> list[dict[str, object]]:
    """A made-up history of one subject, some of it withdrawn."""
    chance = random.Random(seed)
    at = datetime.datetime(2015, 1, 5, 10)
    found: list[dict[str, object]] = []
    for n in range(1, number + 1):
        at += datetime.timedelta(hours=chance.choice([3, 20, 50, 100, 400] if number < 100 else [1, 2, 5, 9]))
        who = f"投诉方{int(chance.paretovariate(0.8)) % 40}" if number > 100 else chance.choice(["阿红", "Acme Brands Ltd"])
        about = {"seller": subject, "complaint": f"c{n}", "at": at.isoformat()}
        finding = chance.choice(["counterfeit", "counterfeit", "serious", "general", "other_misuse"])
        right = f"{who} · {chance.randint(1, 2)}"
        found.append({**about, "kind": "upheld", "complainant": who, "right": right, "finding": finding, "base": 2})
        if chance.random() < 0.1:
            later = (at + datetime.timedelta(hours=30)).isoformat()
            found.append({**about, "kind": "withdrawal", "at": later})
    return found


def notices(number: int) -> list[dict[str, object]]:
    """Notices, of which some are answered and the last are pending."""
    found = []
    for fact in history(number):
        if fact["kind"] == "upheld":
            fact = {**fact, "kind": "notice", "claim": fact["finding"]}
            del fact["finding"]
        found.append(fact)
        if str(fact["complaint"]).endswith("3"):
            found.append({"kind": "counter_notice", **{k: fact[k] for k in ("seller", "complaint", "at")}})
    return found


def drawn(name: str, given: list[dict[str, object]], view: str, language: str) -> Drawing:
    outcome = strikeout.load(name).run(given, engine="compiled")
    return outcome.draw(view, outcome.subjects[0], language)


# What every picture must be.


def boxes(tree: ElementTree.Element) -> Iterator[tuple[float, float, float, float, str]]:
    """The rectangle that each text takes, by the widths that pictures go by."""
    for element in tree.iter(f"{SVG}text"):
        size, x, y = (float(element.get(name, "0")) for name in ("font-size", "x", "y"))
        text = "".join(part for part in (element.text, *(child.tail for child in element)) if part)
        width = text_width(text, size) * (1.08 if element.get("font-weight") else 1.0)
        anchor = element.get("text-anchor", "start")
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        yield left, y - size * 0.8, left + width, y + size * 0.2, text


def check(drawing: Drawing) -> ElementTree.Element:
    """See that a picture is well formed, described, closed in itself, and that no text is cut or over another."""
    tree = ElementTree.fromstring(drawing.svg)
    assert tree.get("role") == "img"
    title, description = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == drawing.title
    assert description.text == drawing.description
    assert tree.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert {e.tag.removeprefix(SVG) for e in tree.iter()} <= {"svg", "title", "desc", "style", "rect", "path", "text"}
    names = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name or name == "style"}
    style = "".join(tree.find(f"{SVG}style").itertext())  # type: ignore[union-attr]
    assert not re.search(r"url\(|@import|//", style)
    looks = {word for element in tree.iter() for word in (element.get("class") or "").split()} - {"so"}
    assert all(f".{look}{{" in style for look in looks), "every class has its style"
    width, height = float(tree.get("width", "0")), float(tree.get("height", "0"))
    found = sorted(boxes(tree))
    for left, top, right, bottom, text in found:
        assert left >= -1, text
        assert top >= 0, text
        assert right <= width + 1, text
        assert bottom <= height, text
    for number, (left, top, right, bottom, text) in enumerate(found):
        for other in found[number + 1 :]:
            if other[0] >= right:
                break
            over = min(right, other[2]) - other[0] > 1 and min(bottom, other[3]) - max(top, other[1]) > 1
            assert not over, f"`{text}` over `{other[4]}` at {left:.0f}, {top:.0f}"
    numbers = [float(n) for e in tree.iter(f"{SVG}path") for n in re.findall(r"-?\d+(?:\.\d+)?", e.get("d", ""))]
    assert all(abs(n) < 20_000 for n in numbers)
    return tree


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [1, 10, 1000])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["taobao-counterfeit", "alibaba-1688", "alibaba-com-serious"])
def test_pictures_of_1_10_and_1000_facts_can_be_read(name: str, view: str, number: int, language: str) -> None:
    check(drawn(name, history(number), view, language))


@pytest.mark.parametrize("number", [1, 10, 1000])
@pytest.mark.parametrize("view", VIEWS)
def test_pictures_with_deadlines_can_be_read(view: str, number: int) -> None:
    check(drawn("taobao-counterfeit-full", notices(number), view, "en"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", sorted((ROOT / "rulesets").glob("*.cases.yaml")), ids=lambda path: path.name)
def test_the_cases_of_shipped_rulesets_can_be_drawn(path: Path, language: str) -> None:
    """Every case once, as a timeline and as firings, in turns of language."""
    from strikeout.case_files import read_cases  # the gate, which only this test needs

    pytest.importorskip("strikeout.case_files")
    assert read_cases
    del language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", strikeout.library.shipped_names() if hasattr(strikeout, "library") else [])
def test_the_rules_of_every_shipped_ruleset_can_be_drawn(name: str, language: str) -> None:
    ruleset = strikeout.load(name)
    texts = {text for *_, text in boxes(check(ruleset.draw(language)))}
    for rule in (*ruleset.model.rules, *ruleset.model.void_rules):
        assert rule.name in texts
