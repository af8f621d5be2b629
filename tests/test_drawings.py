"""Drawings: well formed, nothing cut or over another, the same on every run, safe with any id, folded where too much.

`STRIKEOUT_ACCEPT=1 pytest tests/test_drawings.py` writes the pictures in `drawings`, and `git diff` shows what changed.
"""

from __future__ import annotations

import datetime
import itertools
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import strikeout
from strikeout.cli import commands
from strikeout.facts import Fact, merge_duplicates
from strikeout.gate.case_files import read_cases
from strikeout.graphs.draw_scale import DAY, HOUR, Scale
from strikeout.graphs.draw_text import clean, clusters, lines_of, shorten, text_width, wrap
from strikeout.ground.problems import Source
from strikeout.ground.zones import Zone
from strikeout.machine.timeline import DirectProgram, run_subject
from strikeout.reach.drawing import Drawing
from strikeout.reach.drawings import draw_complaints, draw_firings, draw_timeline
from strikeout.reach.library import Files, shipped_names
from strikeout.reach.sample import record, rows

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


IDS = [text.replace("\x00", "") for text in HOSTILE]
"""What may come as an id: a NUL may not."""


def history(number: int, subject: str = "s", seed: int = 1) -> list[dict[str, object]]:
    """A made-up history of one subject, some of it withdrawn."""
    chance = random.Random(seed)
    at = datetime.datetime(2015, 1, 5, 10)
    found: list[dict[str, object]] = []
    for n in range(1, number + 1):
        at += datetime.timedelta(hours=chance.choice([3, 20, 50, 100, 400] if number < 100 else [1, 2, 5, 9]))
        who = (
            f"投诉方{int(chance.paretovariate(0.8)) % 40}"
            if number > 100
            else chance.choice(["阿红", "Acme Brands Ltd"])
        )
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
        assert left >= -1, text[:80]
        assert top >= 0, text[:80]
        assert right <= width + 1, text[:80]
        assert bottom <= height, text[:80]
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
@pytest.mark.parametrize("name", ["taobao-counterfeit", "alibaba-1688"])
def test_pictures_of_1_10_and_1000_facts_can_be_read(name: str, view: str, number: int, language: str) -> None:
    check(drawn(name, history(number), view, language))


@pytest.mark.parametrize("number", [1, 10, 1000])
@pytest.mark.parametrize("view", VIEWS)
def test_pictures_with_deadlines_can_be_read(view: str, number: int) -> None:
    check(drawn("taobao-counterfeit-full", notices(number), view, "en"))


@pytest.mark.parametrize("path", sorted((ROOT / "rulesets").glob("*.cases.yaml")), ids=lambda path: path.name)
def test_every_shipped_case_can_be_drawn(path: Path) -> None:
    for number, case in enumerate(read_cases(Source(str(path), path.read_text("utf-8")), Files()).cases):
        language, program = LANGUAGES[number % 2], DirectProgram(case.ruleset)
        by_subject: dict[str, list[Fact]] = {}
        for fact in case.facts:
            by_subject.setdefault(fact.subject, []).append(fact)
        for subject, given in by_subject.items():
            as_of = case.expectations[0].as_of
            last = max(fact.from_then_on for fact in given)
            run = run_subject(program, subject, merge_duplicates(given), last if as_of is None else as_of)
            if run.rejection is None:
                check(draw_timeline(case.ruleset, run, language))
                check(draw_firings(case.ruleset, run, language))
                check(draw_complaints(case.ruleset, [run], language, run.as_of, subject))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", shipped_names())
def test_the_rules_of_every_shipped_ruleset_can_be_drawn(name: str, language: str) -> None:
    ruleset = strikeout.load(name)
    texts = {text for *_, text in boxes(check(ruleset.draw(language)))}
    for rule in (*ruleset.model.rules, *ruleset.model.void_rules):
        assert rule.name in texts


def test_complaints_of_many_sellers_can_be_read() -> None:
    outcome = strikeout.load("taobao-counterfeit").run([record(row) for row in rows(2000, seed=3)], engine="compiled")
    drawing = outcome.draw("complaints")
    check(drawing)
    assert any("folded into one" in note for note in drawing.picture.notes)


# Hostile ids.


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["taobao-counterfeit", "alibaba-procedure"])
def test_any_id_is_shown_harmlessly(name: str, view: str) -> None:
    given: list[dict[str, object]] = []
    kind, finding = ("upheld", "finding") if name == "taobao-counterfeit" else ("notice", "claim")
    for number, text in enumerate(IDS):
        at = f"2015-01-{number + 1:02}"
        about = {"complaint": text, "complainant": text[::-1] or "x", "right": text, finding: "counterfeit"}
        given.append({"kind": kind, "seller": IDS[0], "at": at, **about})
    drawing = drawn(name, given, view, "en")
    check(drawing)
    page = drawing.html()
    assert "<script" not in page.lower()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\ufffe\uffff]", page)
    assert "<script" not in (drawing._repr_html_() or "").lower()
    if drawing.graph is not None:
        ElementTree.fromstring(drawing.graphml())


def test_any_subject_is_shown_harmlessly() -> None:
    for text in IDS:
        fact = {"kind": "upheld", "at": "2015-01-05", "complaint": "c", "complainant": "p", "right": "r"}
        outcome = strikeout.load("taobao-counterfeit").run([{**fact, "seller": text, "finding": "counterfeit"}])
        for view in VIEWS:
            check(outcome.draw(view, outcome.subjects[0], "zh"))


def test_ids_that_read_from_the_right_do_not_turn_what_follows() -> None:
    assert "\u2068אבג\u2069" in drawn("alibaba-procedure", NOTICE_IN_HEBREW, "timeline", "en").svg


NOTICE_IN_HEBREW: list[dict[str, object]] = [
    {
        "kind": "notice",
        "seller": "s",
        "at": "2015-01-05",
        "complaint": "אבג",
        "complainant": "p",
        "right": "r",
        "claim": "general",
    }
]


# The same on every run, and as accepted.


def accepted() -> dict[str, Drawing]:
    """The pictures that are kept in `drawings`."""
    example = strikeout.load("taobao-counterfeit").run(strikeout.read(ROOT / "docs" / "example.csv"))
    full = strikeout.load("taobao-counterfeit-full").run(notices(4))
    return {
        "timeline.en": example.timeline("xiaoming", "en"),
        "timeline.zh": example.timeline("xiaohua", "zh"),
        "timeline-pending.en": full.timeline("s"),
        "complaints.zh": example.draw("complaints", None, "zh"),
        "firings.en": example.draw("firings", "xiaoming"),
        "firings-scheduled.zh": full.draw("firings", "s", "zh"),
        "rules.en": strikeout.load("alibaba-1688").draw(),
        "rules.zh": strikeout.load("taobao-counterfeit-full").draw("zh"),
    }


def test_pictures_are_as_accepted() -> None:
    for name, drawing in accepted().items():
        golden = GOLDEN / f"{name}.svg"
        # An element a line, so that a difference can be read.
        text = drawing.svg.replace("><", ">\n<") + "\n"
        if os.environ.get("STRIKEOUT_ACCEPT"):
            golden.write_text(text, encoding="utf-8")
        assert golden.read_text(encoding="utf-8") == text, f"{golden.name}: STRIKEOUT_ACCEPT=1 accepts it as it is"


def test_no_run_differs_from_another() -> None:
    script = (
        "import sys, hashlib; sys.path.insert(0, 'tests')\nfrom test_drawings import *\n"
        "pictures = [drawn('alibaba-1688', history(60), view, 'zh') for view in VIEWS]\n"
        "told = [p.html() + (p.graphml() if p.graph else '') for p in pictures]\n"
        "told.append(strikeout.load('alibaba-1688').draw().html())\n"
        "print(hashlib.sha256('\\n'.join(told).encode()).hexdigest())"
    )
    digests = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        made = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        digests.add(made.stdout)
    assert len(digests) == 1


def test_the_order_of_facts_is_irrelevant() -> None:
    given = history(40)
    other = list(reversed(given))
    for view in VIEWS:
        assert drawn("alibaba-1688", given, view, "en").html() == drawn("alibaba-1688", other, view, "en").html()


# What is folded is said.


def test_what_is_folded_is_said() -> None:
    many = history(1000)
    timeline = drawn("alibaba-1688-misuse", many, "timeline", "en")
    assert any("each column counts" in note for note in timeline.picture.notes)
    firings = drawn("alibaba-1688-misuse", many, "firings", "en")
    assert any("steps are drawn, the others are folded" in note for note in firings.picture.notes)
    texts = [text for *_, text in boxes(ElementTree.fromstring(firings.svg))]
    steps = sum(int(found[1].replace(",", "")) for t in texts if (found := re.match(r"([\d,]+) steps folded", t)))
    shown = sum(bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) for text in texts)
    total = int(re.search(r"([\d,]+) steps,", firings.description)[1].replace(",", ""))  # type: ignore[index]
    assert steps + shown == total
    few = drawn("alibaba-1688-misuse", history(5), "firings", "en")
    assert not few.picture.notes


def test_columns_count_every_fact() -> None:
    drawing = drawn("alibaba-1688-misuse", history(1000), "timeline", "en")
    tree = ElementTree.fromstring(drawing.svg)
    counts = [int(e.text or 0) for e in tree.iter(f"{SVG}text") if e.get("font-size") == "9"]
    marks = len(re.findall(r'class="so-(?:counted|merged|not_counted)" d="M', drawing.svg))
    assert sum(counts) + marks >= 1000


def test_quiet_times_are_cut_and_said() -> None:
    fact = {"kind": "upheld", "seller": "s", "complainant": "p", "right": "r", "finding": "counterfeit", "base": 2}
    days = ("2015-01-05", "2015-01-06", "2017-06-01", "2017-06-02")
    given: list[dict[str, object]] = [{**fact, "at": day, "complaint": f"c{n}"} for n, day in enumerate(days)]
    drawing = drawn("taobao-counterfeit", given, "timeline", "en")
    check(drawing)
    assert "quiet times are cut out of the axis at //" in drawing.picture.notes


def test_a_scale_keeps_order_and_shows_what_matters() -> None:
    instants = [0, 3 * DAY, 400 * DAY, 403 * DAY]
    scale = Scale(instants, 3 * DAY, 0, 800)
    places = [scale.x(instant) for instant in instants]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == 800
    assert places[1] - places[0] >= 26
    assert scale.x(-DAY) == 0
    assert scale.x(500 * DAY) == 800
    assert Scale([], 0, 0, 10).x(0) == 5


@pytest.mark.parametrize("span", [HOUR, DAY, 40 * DAY, 400 * DAY, 4_000 * DAY, 9_000 * 365 * DAY])
def test_ticks_stand_apart_at_local_dates(span: int) -> None:
    zone = Zone.load("Asia/Shanghai")
    start = zone.parse("0500-01-05T09:30")
    ticks = Scale([start, start + span], 0, 0, 800).ticks(zone, 76)
    assert 1 <= len(ticks) <= 11 or span == HOUR
    assert all(b.x - a.x >= 76 for a, b in itertools.pairwise(ticks))


# Texts.


def test_texts_are_measured_and_cut() -> None:
    assert text_width("红了个红", 12) == 48
    assert text_width("e\u0301", 10) == text_width("e", 10)
    for text in HOSTILE:
        found = clean(text)
        assert clean(found) == found
        assert not any(ord(c) < 32 for c in found)
        for width in (20.0, 60.0, 200.0):
            assert text_width(shorten(found, width, 12), 12) <= max(width, 12)
            lines = wrap(found[:300], width, 12)
            assert all(text_width(line, 12) <= width or len(list(clusters(line))) == 1 for line in lines)
            assert len(lines_of(found[:300], width, 12, 2)) <= 2
    assert shorten("short", 100, 12) == "short"
    assert "".join(clusters("e\u0301x")) == "e\u0301x"
    assert list(clusters("e\u0301x")) == ["e\u0301", "x"]


def test_two_ids_that_differ_at_their_end_stay_apart() -> None:
    assert shorten("complainant-000000000123", 100, 12) != shorten("complainant-000000000124", 100, 12)


# Files and pages.


def example() -> strikeout.Outcome:
    return strikeout.load("taobao-counterfeit").run(strikeout.read(ROOT / "docs" / "example.csv"))


@pytest.mark.parametrize("form", ["html", "svg", "png", "graphml"])
def test_a_drawing_is_saved(tmp_path: Path, form: str) -> None:
    if form == "png":
        pytest.importorskip("resvg_py")
    path = tmp_path / f"x.{form}"
    example().draw("firings", "xiaoming").save(path)
    begins = {"html": b"<!doctype html>", "svg": b"<svg", "png": b"\x89PNG", "graphml": b"<graphml"}[form]
    assert path.read_bytes().startswith(begins)


def test_a_png_is_light_or_dark() -> None:
    pytest.importorskip("resvg_py")
    drawing = example().timeline("xiaoming")
    light, dark = drawing.png(), drawing.png(dark=True)
    assert light != dark
    assert int.from_bytes(light[16:20], "big") == 2 * 1040
    assert drawing.png(scale=1) != light


def test_png_without_the_extra_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(strikeout.RunError, match="PNG needs the extra `viz`"):
        example().timeline("xiaoming").png()


def test_a_page_needs_nothing_else_and_has_the_tables() -> None:
    page = example().timeline("xiaoming", "zh").html()
    assert page.startswith('<!doctype html>\n<html lang="zh">')
    assert "<script" not in page
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert page.count("<table>") == 3
    assert "并入 计次一次 c1" in page


def test_what_cannot_be_drawn_is_said() -> None:
    outcome = example()
    wrong: dict[str, Callable[[], object]] = {
        "`timelin` is no view; did you mean `timeline`?": lambda: outcome.draw("timelin"),
        "the view `firings` is of one seller: say of which `subject`": lambda: outcome.draw("firings"),
        "no fact names the seller `nobody`": lambda: outcome.timeline("nobody"),
        "`de` is no language of drawings; known are `zh` and `en`": lambda: outcome.timeline("xiaoming", "de"),
        "a timeline is no graph; take the view `complaints`, `firings` or `rules`": lambda: outcome.timeline(
            "xiaoming"
        ).graphml(),
        "`x.jpg`: a drawing's format goes by the file's suffix; known are `html`, `svg`, `png` and `graphml`": (
            lambda: outcome.draw().save("x.jpg")
        ),
    }
    for message, attempt in wrong.items():
        with pytest.raises(strikeout.RunError) as caught:
            attempt()
        assert str(caught.value).startswith(message)


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["graph", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 2, f"{result.output}{result.exception}"
    return result.exit_code, result.output


def test_the_command_draws_every_view(tmp_path: Path) -> None:
    facts = str(ROOT / "docs" / "example.csv")
    for view in VIEWS:
        path = tmp_path / f"{view}.html"
        code, _ = invoke("taobao-counterfeit", facts, "--subject", "xiaoming", "--view", view, "-o", str(path))
        assert code == 0
        subject = "xiaoming"
        assert path.read_text("utf-8") == example().draw(view, subject, "en").html() or view != "timeline"
    code, _ = invoke("taobao-counterfeit", "--view", "rules", "--lang", "zh", "-o", str(tmp_path / "rules.svg"))
    assert code == 0
    assert (tmp_path / "rules.svg").read_text("utf-8") == strikeout.load("taobao-counterfeit").draw("zh").svg + "\n"
    code, _ = invoke("taobao-counterfeit", facts, "-o", str(tmp_path / "all.graphml"))
    assert code == 0
    assert (tmp_path / "all.graphml").read_text("utf-8") == example().draw().graphml()
    code, _ = invoke("taobao-counterfeit", facts, "--subject", "xiaoming", "-o", str(tmp_path / "one.graphml"))
    assert code == 0
    assert 'attr.name="stratum"' in (tmp_path / "one.graphml").read_text("utf-8"), "the firings of a subject"


def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    facts = str(ROOT / "docs" / "example.csv")
    for arguments, message in {
        ("taobao-counterfeit", facts, "-o", "x.jpg"): "a drawing's format goes by the file's suffix",
        ("taobao-counterfeit", facts, "--view", "firings", "-o", "x.svg"): "the view `firings` is of one subject",
        ("taobao-counterfeit", facts, "--view", "timeline", "--subject", "s", "-o", "x.graphml"): "is no graph",
        ("taobao-counterfeit", facts, "--subject", "xiaomin", "-o", "x.svg"): "did you mean `xiaoming`",
        ("taobao-counterfeit", "-o", "x.svg"): "Missing argument 'FACTS…'",
        ("taobao-counterfeit", facts): "Missing option",
    }.items():
        code, told = invoke(*(str(tmp_path / a) if a.startswith("x.") else a for a in arguments))
        assert code == 2, told
        assert message in told
        assert not list(tmp_path.iterdir())
