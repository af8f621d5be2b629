"""Rules as closures: whether one fires for a fact, and what follows (language 3)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from strikeout.graphs import GraphView

from ..facts import Fact, Value
from ..functions import Place
from ..model import Derivation, Rule, Ruleset
from .evaluate import Compiler, Evaluator, Fault, Frame, Indices
from .runs import Entry


class CompiledRule:
    """A rule with its expressions as closures."""

    def __init__(self, rule: Rule, ruleset: Ruleset, place: Place, indices: Indices) -> None:
        compiler = Compiler(rule, place, ruleset.parameters, indices)
        self.rule = rule
        self.joins = [compiler.join(join.selection) for join in rule.joins]
        self.condition = compiler.compile(rule.condition) if rule.condition is not None else None
        self.then = [CompiledDerivation(derivation, compiler) for derivation in rule.then]
        self.of = compiler.compile(rule.ladder.of) if rule.ladder is not None else None
        self.thresholds = [threshold for threshold, _ in rule.ladder.steps] if rule.ladder is not None else []
        steps = rule.ladder.steps if rule.ladder is not None else ()
        self.steps = [[CompiledDerivation(d, compiler) for d in derivations] for _, derivations in steps]
        self.voids = [
            (target, [slot for slot, _ in target.by], [compiler.compile(key) for _, key in target.by])
            for target in rule.voids
        ]
        self.lets = len(rule.lets)

    def in_force(self, instant: int) -> bool:
        """Whether the rule holds for triggers of an instant: [from, until)."""
        starts, ends = self.rule.starts, self.rule.ends
        return (starts is None or starts <= instant) and (ends is None or instant < ends)

    def frame(self, trigger: Fact, step: int, view: GraphView) -> Frame | None:
        """The frame in which a trigger is tried: nothing where the rule is not in force or a join finds no fact."""
        if not self.in_force(trigger.at):
            return None
        frame = Frame(trigger, trigger.at, step, view, self.lets)
        for join in self.joins:
            fact = join(frame)
            if fact is None:
                return None
            frame.joined.append(fact)
        return frame

    def crossing(self, frame: Frame) -> int:
        """The number, from 1, of the ladder's step that is newly reached; 0 where there is none."""
        if self.of is None:
            return 0
        before = self.of(frame.as_of_before())
        now = self.of(frame)
        if now is None:
            return 0
        reached = bisect_right(self.thresholds, now)
        had = 0 if before is None else bisect_right(self.thresholds, before)
        return reached if reached > had else 0


class CompiledDerivation:
    """An entry of `then` with its expressions as closures."""

    def __init__(self, derivation: Derivation, compiler: Compiler) -> None:
        self.derivation = derivation
        self.values: list[Evaluator | None] = [
            None if value is None else compiler.compile(value) for value in derivation.values
        ]
        self.at = compiler.compile(derivation.at) if derivation.at is not None else None

    def fact(self, frame: Frame, subject: str) -> Fact:
        """The fact that is derived: each field from its expression, what is missing from its default."""
        kind = self.derivation.kind
        values: list[Value] = []
        for declared, evaluator in zip(kind.fields, self.values, strict=True):
            value = evaluator(frame) if evaluator is not None else None
            if value is None:
                value = declared.default
                if value is None and declared.required:
                    message = f"the required field `{declared.name}` of `{kind.name}` is missing"
                    raise Fault("missing", message, self.derivation.span)
            values.append(value)
        at = frame.now
        if self.at is not None:
            instant = self.at(frame)
            if instant is None:
                raise Fault(
                    "missing",
                    f"the instant for which `{kind.name}` is scheduled is missing",
                    self.derivation.span,
                )
            if instant < frame.now:
                raise Fault("past", f"`{kind.name}` is scheduled for an instant before now", self.derivation.span)
            at = instant
        return Fact(kind, at, subject, tuple(values), 0, at)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that fires for a trigger, or a fault that trying it met: what an engine decides.

    `crossing` is the number of the ladder's step, from 1; 0 where the rule is no ladder.
    """

    rule: int
    trigger: Entry
    frame: Frame | None
    crossing: int
    fault: Fault | None = None


def try_rule(rule: CompiledRule, number: int, entry: Entry, view: GraphView, step: int) -> Firing | None:
    """Try one rule for one trigger: joins, condition, ladder; lazily and from the left."""
    try:
        frame = rule.frame(entry.fact, step, view)
        if frame is None or (rule.condition is not None and not rule.condition(frame)):
            return None
        crossing = rule.crossing(frame)
    except Fault as fault:
        return Firing(number, entry, None, 0, fault)
    if rule.of is not None and not crossing:
        return None
    return Firing(number, entry, frame, crossing)
