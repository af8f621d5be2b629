"""What changed between two rulesets in the words of policy, zh and en, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from ..facts import Kind, Titles
from ..ground.problems import RunError
from ..model import Parameter, Rule, Ruleset
from ..speech.literals import literal
from ..why.answer import Answer
from ..why.replay import conjuncts
from ..why.tree import Branch
from .policy_change import Detail, PartChange, PolicyDifferenceRecord
from .policy_difference import derived, differences
from .prose import Prose

Json = dict[str, Any]

_PHRASES: dict[str, tuple[str, str]] = {
    "head": ("规则变化：{before} → {after}", "what changed: {before} → {after}"),
    "nothing": ("没有变化", "nothing changed"),
    "parameters": ("参数", "parameters"),
    "kinds": ("事实种类", "kinds of fact"),
    "rules": ("规则", "rules"),
    "affected": ("受影响的结论", "conclusions affected"),
    "directly": ("直接：{names}", "directly: {names}"),
    "through": ("间接：{names}", "through these: {names}"),
    "none-affected": ("结论不受影响", "no conclusion is affected"),
    "added": ("＋ {what}", "+ {what}"),
    "removed": ("－ {what}", "− {what}"),
    "changed": ("～ {what}", "~ {what}"),
    "renamed": ("～ {what}（原名 {old}）", "~ {what}, formerly {old}"),
    "titled": ("{name}：{title}", "{name}: {title}"),
    "clause": ("依据 {cite}", "clause {cite}"),
    "list": ("、", ", "),
    "is": ("{what}：{after}", "{what}: {after}"),
    "was": ("{what}：{before} → {after}", "{what}: {before} → {after}"),
    "new": ("{what}：新增：{after}", "{what}: now also: {after}"),
    "gone": ("{what}：不再有：{before}", "{what}: no longer: {before}"),
    "value": ("值", "value"),
    "value-from": ("自 {name} 起的值", "value from {name} on"),
    "type": ("类型", "type"),
    "given": ("可作为输入", "can be given"),
    "effect": ("对状态的影响", "effect on the status"),
    "severity": ("级别", "severity"),
    "ends": ("终止", "ends"),
    "field": ("字段 {name}", "field {name}"),
    "when": ("触发", "triggered by"),
    "from": ("施行自", "holds from"),
    "until": ("施行至", "holds until"),
    "with": ("关联 {name}", "joins as {name}"),
    "let": ("其中 {name}", "where {name}"),
    "if": ("条件", "condition"),
    "then": ("结果", "what follows"),
    "of": ("阶梯依据", "ladder by"),
    "step": ("达到 {name} 时", "on reaching {name}"),
    "void": ("使之失效", "voids"),
    "title": ("标题（{name}）", "title ({name})"),
    "cite": ("依据", "clause"),
    "note": ("说明（{name}）", "note ({name})"),
    "version": ("版本", "version"),
    "subject": ("评判对象", "subject"),
    "zone": ("时区", "time zone"),
    "calendar": ("工作日历", "calendar"),
    "terminal": ("终局", "terminal"),
    "nothing-there": ("无", "none"),
}
"""Phrases: zh, en."""

_KEPT_APART = ("if", "step", "then", "field", "let", "with", "void")


class PolicyTeller:
    """Puts what changed between two rulesets into words.

    Parameters
    ----------
    found : PolicyDifferenceRecord
        What changed.
    language : str
        `zh` or `en`.
    """

    def __init__(self, found: PolicyDifferenceRecord, language: str) -> None:
        if language not in ("zh", "en"):
            raise RunError(f"`{language}` is no language of answers; known are `zh` and `en`")
        self.found, self.language = found, language
        self.prose = {id(r): Prose(r, language) for r in (found.before, found.after)}

    def say(self, phrase: str, **parts: object) -> str:
        """A phrase with its parts filled in."""
        return _PHRASES[phrase][0 if self.language == "zh" else 1].format(**parts)

    def title(self, titles: Titles) -> str:
        """A title in the language, else in the other."""
        known = dict(titles)
        return known.get(self.language) or next(iter(known.values()), "")

    def branches(self) -> Iterator[Branch]:
        """All that changed."""
        found = self.found
        before, after = (f"{self.title(r.title) or r.name} ({r.name} {r.version})" for r in (found.before, found.after))
        yield Branch(self.say("head", before=before, after=after))
        if not found:
            yield Branch(self.say("nothing"))
            return
        for detail in found.header:
            yield from self.detail(detail)
        for heading, changes in (("parameters", found.parameters), ("kinds", found.kinds), ("rules", found.rules)):
            if changes:
                yield Branch(self.say(heading), tuple(self.change(change) for change in changes))
        yield self.affected()

    def affected(self) -> Branch:
        """The kinds whose facts may come out otherwise."""
        lines = [
            Branch(self.say(phrase, names=self.say("list").join(self.kind(name) for name in names)))
            for phrase, names in (("directly", self.found.affected), ("through", self.found.affected_through))
            if names
        ]
        if not lines:
            return Branch(self.say("none-affected"))
        return Branch(self.say("affected"), tuple(lines))

    def kind(self, name: str) -> str:
        """A kind by its name, in zh with its title."""
        after = self.found.after.kinds_by_name.get(name)
        kind = after if after is not None else self.found.before.kinds_by_name[name]
        return self.prose[id(self.found.after)].kind(kind)

    def change(self, change: PartChange) -> Branch:
        """A part that came, went or changed."""
        part = change.after if change.after is not None else change.before
        ruleset = self.found.after if change.after is not None else self.found.before
        title = "" if part is None else self.title(part.title)
        what = self.say("titled", name=change.name, title=title) if title else change.name
        if isinstance(part, Rule) and part.cite:
            what += " · " + self.say("clause", cite=part.cite)
        head = self.say(change.how, what=what, old=change.old_name)
        if change.how in ("changed", "renamed"):
            return Branch(head, tuple(branch for detail in change.details for branch in self.detail(detail)))
        return Branch(head, tuple(Branch(line) for line in self.whole(ruleset, part)))

    # A part that came or went.

    def whole(self, ruleset: Ruleset, part: Parameter | Kind | Rule | None) -> Iterator[str]:
        """What a part says."""
        match part:
            case Parameter():
                dated = part.dated or ((None, part.value),)
                for start, value in dated:
                    what = self.say("value")
                    if start is not None:
                        what = self.say("value-from", name=_date(ruleset.zone.format(start)))
                    yield self.say("is", what=what, after=literal(ruleset, part.type, value))
            case Kind():
                if part.effect:
                    yield self.say("is", what=self.say("effect"), after=part.effect)
                    yield self.say("is", what=self.say("severity"), after=part.severity)
                names = self.say("list").join(field.name for field in part.fields)
                if names:
                    yield self.say("is", what=self.say("field", name="").strip(), after=names)
            case Rule():
                yield from self._rule(ruleset, part)
            case _:
                return

    def _rule(self, ruleset: Ruleset, rule: Rule) -> Iterator[str]:
        prose = self.prose[id(ruleset)]
        kinds = self.say("list").join(prose.kind(kind) for kind in rule.triggers)
        yield self.say("is", what=self.say("when"), after=kinds)
        for what, at in (("from", rule.starts), ("until", rule.ends)):
            if at is not None:
                yield self.say("is", what=self.say(what), after=_date(ruleset.zone.format(at)))
        for join in rule.joins:
            what = self.say("with", name=join.alias)
            yield self.say("is", what=what, after=prose.selection(join.selection))
        for let in rule.lets:
            yield self.say("is", what=self.say("let", name=let.name), after=prose.of(let.value))
        for part in conjuncts(rule.condition):
            yield self.say("is", what=self.say("if"), after=prose.of(part))
        if rule.then:
            yield self.say("is", what=self.say("then"), after=prose.derivations(rule.then))
        if rule.ladder is not None:
            yield self.say("is", what=self.say("of"), after=prose.of(rule.ladder.of))
            for threshold, derivations in rule.ladder.steps:
                what = self.say("step", name=threshold)
                yield self.say("is", what=what, after=prose.derivations(derivations))
        for target in rule.voids:
            names = self.say("list").join(target.kind.fields[slot].name for slot, _ in target.by)
            kind = prose.kind(target.kind) + (f" ({names})" if names else "")
            yield self.say("is", what=self.say("void"), after=kind)

    # What differs.

    def detail(self, detail: Detail) -> Iterator[Branch]:
        """One thing that differs."""
        name = detail.name
        if detail.what in ("title", "note") and name != self.language:
            return
        what = self.say("value-from", name=_date(name)) if detail.what == "value" and name else ""
        what = what or self.say(detail.what, name=name)
        before, after = self._shown(detail, 0), self._shown(detail, 1)
        if before is None or after is None:
            phrase = "new" if before is None else "gone"
            if detail.what not in _KEPT_APART:
                phrase, absent = "was", self.say("nothing-there")
                before, after = before or absent, after or absent
        else:
            phrase = "was"
        if len(f"{before}{after}") > 60 and phrase == "was":
            yield Branch(
                f"{what}{'：' if self.language == 'zh' else ':'}", (Branch(f"− {before}"), Branch(f"+ {after}"))
            )
            return
        yield Branch(self.say(phrase, what=what, before=before, after=after))

    def _shown(self, detail: Detail, side: int) -> str | None:
        """What stands on one side, in words where there are."""
        text = detail.before if side == 0 else detail.after
        ruleset = self.found.before if side == 0 else self.found.after
        prose = self.prose[id(ruleset)]
        if text is None:
            return None
        expression, derivations = detail.expressions[side], detail.derivations[side]
        if expression is not None:
            return prose.of(expression)
        if derivations:
            return prose.derivations(derivations)
        if detail.what in ("when", "terminal"):
            kinds = (ruleset.kinds_by_name.get(name) for name in text.split(" or "))
            return self.say("list").join(prose.kind(kind) for kind in kinds if kind is not None)
        return _date(text) if detail.what in ("from", "until") else " ".join(text.split())


def _date(text: str) -> str:
    """A time as output has it; the date alone at midnight."""
    return text[:10] if text[10:19] == "T00:00:00" else text


@dataclass(frozen=True, slots=True, repr=False)
class PolicyDifference(Answer, PolicyDifferenceRecord):
    """What changed between two rulesets; see `PolicyDifferenceRecord` for what it holds.

    Examples
    --------
    >>> import strikeout
    >>> ruleset = strikeout.load("taobao-counterfeit")
    >>> changed = policy_difference(ruleset.model, ruleset.with_parameters({"strike_limit": 2}).model)
    >>> print(changed.text().splitlines()[4])
       └─ value: 3 → 2
    """

    def branches(self, language: str) -> list[Branch]:
        """What changed as a tree, in `zh` or `en`."""
        return list(PolicyTeller(self, language).branches())

    def as_dict(self) -> Json:
        """What changed as JSON has it, expressions as they are written."""
        return {
            "before": {"ruleset": self.before.name, "version": self.before.version},
            "after": {"ruleset": self.after.name, "version": self.after.version},
            "changed": [_detail(detail) for detail in self.header],
            "parameters": [_change(self, change) for change in self.parameters],
            "kinds": [_change(self, change) for change in self.kinds],
            "rules": [_change(self, change) for change in self.rules],
            "affected": list(self.affected),
            "affected_through": list(self.affected_through),
        }


def policy_difference(before: Ruleset, after: Ruleset) -> PolicyDifference:
    """What changed between two rulesets: parameters, kinds, rules, and the kinds of conclusions affected.

    Parameters
    ----------
    before, after : strikeout.model.Ruleset
        The rulesets.
    """
    found = differences(before, after)
    return PolicyDifference(**{field.name: getattr(found, field.name) for field in fields(found)})


def _detail(detail: Detail) -> Json:
    found: Json = {"what": detail.what}
    if detail.name:
        found["name"] = detail.name
    return {**found, "before": detail.before, "after": detail.after}


def _change(found: PolicyDifferenceRecord, change: PartChange) -> Json:
    shown: Json = {"name": change.name, "how": change.how}
    if change.how == "renamed":
        shown["formerly"] = change.old_name
    if change.details:
        shown["changed"] = [_detail(detail) for detail in change.details]
    part = change.after if change.after is not None else change.before
    if isinstance(part, Rule):
        if part.cite:
            shown["clause"] = part.cite
        if change.how in ("added", "removed"):
            shown["then"] = [derived(derivation) for _, _, derivation in part.derivations()]
    return shown
