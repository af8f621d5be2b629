"""What a backtest says: its counts as JSON, and as tables for a person, in zh and en."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..facts import Titles
from ..model import Ruleset
from .backtest import Result
from .tally import SIDES, Tally, status_order

WORDS = {
    "en": {
        "title": "Backtest",
        "colon": ": ",
        "statuses": "How the {subject}s stand",
        "status": "status",
        "rules": "What the rules derived",
        "rule": "rule",
        "kinds": "What was derived",
        "kind": "kind",
        "derived": "derived",
        "subjects": "{subject}s",
        "change": "change",
        "months": "Derived by month",
        "month": "month",
        "pairs": "Whose status or sanctions differ",
        "under": "under {name}",
        "examples": "for example",
        "parted": "What parted them first",
        "only": "only under",
        "neither": "a run was rejected",
        "same": "No {subject}'s status or sanctions differ.",
        "differ": "{number:,} of {total:,} {subject}s differ in status or sanctions.",
        "facts": (
            "given {given:,} = used {used:,} + duplicates {duplicates:,} + voided {voided:,} + later {later:,} + "
            "rejected {rejected:,}"
        ),
        "what": "what became of the facts",
        "as of": "as of {as_of}",
        "rejected": "rejected",
        "good-standing": "good-standing",
        "chart and table": "The chart shows the numbers of the table beside it.",
    },
    "zh": {
        "title": "回测",
        "colon": "：",
        "statuses": "各 {subject} 的状态",
        "status": "状态",
        "rules": "各规则推出的结论",
        "rule": "规则",
        "kinds": "推出的结论",
        "kind": "事实",
        "derived": "推出",
        "subjects": "{subject} 数",
        "change": "变化",
        "months": "按月推出的结论",
        "month": "月份",
        "pairs": "状态或处罚不同的",
        "under": "按 {name}",
        "examples": "例如",
        "parted": "最先造成分歧的规则",
        "only": "仅见于",
        "neither": "有一方被拒收",
        "same": "没有 {subject} 的状态或处罚不同。",
        "differ": "共 {total:,} 个 {subject}，其中 {number:,} 个的状态或处罚不同。",
        "facts": (
            "输入 {given:,} = 采用 {used:,} + 重复 {duplicates:,} + 作废 {voided:,} + 尚未发生或知悉 {later:,} + "
            "拒收 {rejected:,}"
        ),
        "what": "各事实的去向",
        "as of": "截至 {as_of}",
        "rejected": "拒收",
        "good-standing": "良好",
        "chart and table": "图中的数字见旁边的表。",
    },
}


def as_json(result: Result) -> dict[str, Any]:
    """The counts of a backtest as `summary.json` has them."""
    spec, whole = result.spec, result.whole
    zone = spec.rulesets[0].zone
    runs = [
        _run(ruleset, settings, tally)
        for ruleset, settings, tally in zip(spec.rulesets, spec.settings, whole.tallies, strict=True)
    ]
    found: dict[str, Any] = {"as_of": zone.format(result.as_of), "bad_rows": result.bad_rows, "ruleset": runs[-1]}
    if len(runs) == 2:
        found["against"] = runs[0]
        found["differences"] = {
            "subjects": whole.differences.subjects,
            "pairs": [
                {"against": pair[0], "ruleset": pair[1], "subjects": number, "examples": examples}
                for pair, number, examples in pairs(result)
            ],
            "parted_by": [
                {"only": SIDES.get(side), "rule": rule or None, "subjects": number, "examples": examples}
                for side, rule, number, examples in partings(result)
            ],
        }
    return found


def _run(ruleset: Ruleset, settings: Mapping[str, str], tally: Tally) -> dict[str, Any]:
    facts = tally.facts
    months: dict[str, dict[str, int]] = {}
    for month in sorted({month for month, _ in tally.months}):
        months[month] = {k.name: tally.months[month, k.name] for k in ruleset.kinds if tally.months[month, k.name]}
    return {
        "ruleset": ruleset.name,
        "version": ruleset.version,
        "digest": ruleset.digest,
        "set": dict(settings),
        "subjects": facts.subjects,
        "facts": {
            name: getattr(facts, name) for name in ("given", "used", "duplicates", "voided", "later", "rejected")
        },
        "derived": facts.derived,
        "rules": {
            rule.name: {"derived": tally.rules[rule.name], "subjects": tally.rule_subjects[rule.name]}
            for rule in ruleset.rules
        },
        "kinds": {
            kind.name: {"derived": tally.kinds[kind.name], "subjects": tally.kind_subjects[kind.name]}
            for kind in ruleset.derivable
        },
        "statuses": {name: tally.statuses[name] for name in status_order([ruleset]) if tally.statuses[name]},
        "months": months,
    }


def pairs(result: Result) -> list[tuple[tuple[str, str], int, list[str]]]:
    """Pairs of statuses of subjects that differ, the most frequent first: how many there are, and examples."""
    order = {name: place for place, name in enumerate(status_order(result.spec.rulesets))}
    found = [(pair, group.subjects, group.examples) for pair, group in result.whole.differences.pairs.items()]
    return sorted(found, key=lambda p: (-p[1], order[p[0][0]], order[p[0][1]]))


def partings(result: Result) -> list[tuple[int, str, int, list[str]]]:
    """What parted subjects first, the most frequent first: side (-1 for none), rule, how many, examples."""
    found = [(side, rule, g.subjects, g.examples) for (side, rule), g in result.whole.differences.parted.items()]
    return sorted(found, key=lambda p: (-p[2], p[0], p[1]))


LETTERS = "AB"
"""What tables call two runs: that which is compared with, and the ruleset's."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table for a person: its title, headings, and rows of texts and numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The columns that hold numbers, or how much numbers change, by their places."""
        return frozenset(
            place
            for place in range(1, len(self.headings))
            if all(isinstance(row[place], int) or str(row[place])[:1] in "+-0" for row in self.rows)
        )


def labels(result: Result) -> list[str]:
    """What the runs are called: the rulesets' names, with what was set; two of them with a letter before."""
    found = []
    for ruleset, settings in zip(result.spec.rulesets, result.spec.settings, strict=True):
        changed = ", ".join(f"{name}={value}" for name, value in settings.items())
        found.append(f"{ruleset.name} ({changed})" if changed else ruleset.name)
    return [f"{letter}: {name}" for letter, name in zip(LETTERS, found, strict=True)] if len(found) == 2 else found


def sheets(result: Result, language: str) -> list[Sheet]:
    """The tables of a backtest: statuses, rules, kinds, and for two rulesets in what they differ."""
    words, names = WORDS[language], LETTERS[: len(result.spec.rulesets)]
    rulesets, tallies = result.spec.rulesets, result.whole.tallies
    subject = rulesets[0].subject
    statuses = [n for n in status_order(rulesets) if any(tally.statuses[n] for tally in tallies)]
    found = [
        Sheet(
            words["statuses"].format(subject=subject),
            (words["status"], *_columns(words["subjects"].format(subject=subject), names, words)),
            tuple((status_word(n, language), *_numbers([t.statuses[n] for t in tallies])) for n in statuses),
        )
    ]
    by_rule = [(r.name, _title(r.title, language)) for ruleset in rulesets for r in ruleset.rules]
    by_kind = [(k.name, _title(k.title, language)) for ruleset in rulesets for k in ruleset.derivable]
    for what, named in (("rule", by_rule), ("kind", by_kind)):
        rows: list[tuple[str | int, ...]] = []
        for name, title in dict(named).items():
            derived = [(t.rules if what == "rule" else t.kinds)[name] for t in tallies]
            subjects = [(t.rule_subjects if what == "rule" else t.kind_subjects)[name] for t in tallies]
            rows.append((f"{name}{words['colon']}{title}" if title else name, *_numbers(derived), *_numbers(subjects)))
        headings = [*_columns(words["derived"], names, words)]
        headings += _columns(words["subjects"].format(subject=subject), names, words)
        found.append(Sheet(words[f"{what}s"], (words[what], *headings), tuple(rows)))
    if len(rulesets) == 2 and result.whole.differences.subjects:
        found += _differences(result, language)
    return found


def _columns(heading: str, names: Sequence[str], words: Mapping[str, str]) -> list[str]:
    if len(names) == 1:
        return [heading]
    return [*(f"{heading} {name}" for name in names), words["change"]]


def _numbers(values: Sequence[int]) -> tuple[int | str, ...]:
    if len(values) == 1:
        return (values[0],)
    change = values[1] - values[0]
    return (*values, f"{change:+,}" if change else "0")


def _title(titles: Titles, language: str) -> str:
    found = dict(titles)
    return found.get(language) or ""


def status_word(name: str, language: str) -> str:
    """A status as a person reads it."""
    return WORDS[language].get(name, name) if name in ("good-standing", "rejected") else name


def _differences(result: Result, language: str) -> list[Sheet]:
    words, names = WORDS[language], LETTERS
    subject = result.spec.rulesets[0].subject
    last = (words["subjects"].format(subject=subject), words["examples"])
    return [
        Sheet(
            words["pairs"],
            (words["under"].format(name="A"), words["under"].format(name="B"), *last),
            tuple(
                (status_word(pair[0], language), status_word(pair[1], language), number, ", ".join(examples))
                for pair, number, examples in pairs(result)
            ),
        ),
        Sheet(
            words["parted"],
            (words["rule"], words["only"], *last),
            tuple(
                (rule or words["neither"], names[side] if side >= 0 else "", number, ", ".join(examples))
                for side, rule, number, examples in partings(result)
            ),
        ),
    ]


def lines(result: Result, language: str) -> list[str]:
    """What to say above the tables: the instant, what became of the facts, and how many subjects differ."""
    words, names = WORDS[language], labels(result)
    zone, subject = result.spec.rulesets[0].zone, result.spec.rulesets[0].subject
    found = [words["as of"].format(as_of=zone.format(result.as_of))]
    facts = [_facts(tally, words) for tally in result.whole.tallies]
    found += names if len(names) == 2 else []
    found += (
        [facts[0]]
        if len(set(facts)) == 1
        else [f"{letter}: {text}" for letter, text in zip(LETTERS, facts, strict=True)]
    )
    if len(names) == 2:
        number, total = result.whole.differences.subjects, result.whole.tallies[0].facts.subjects
        found.append(words["differ" if number else "same"].format(number=number, total=total, subject=subject))
    return found


def _facts(tally: Tally, words: Mapping[str, str]) -> str:
    facts = tally.facts
    return words["facts"].format(
        given=facts.given,
        used=facts.used,
        duplicates=facts.duplicates,
        voided=facts.voided,
        later=facts.later,
        rejected=facts.rejected,
    )
