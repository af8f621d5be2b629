"""Explanations as JSON has them: plain dicts and lists, facts as the output shows them, each fact once."""

from __future__ import annotations

from typing import Any

from ..facts import DURATION, TIME, Type
from ..ground.values import ArithmeticFault, Period, format_duration
from ..model import Constant, Rule, Ruleset
from ..speech.outcome import record
from .proof import (
    Cause,
    Climb,
    LeftOut,
    NotDerived,
    ProofRecord,
    RuleAnswer,
    Stand,
    Tally,
    Term,
    Trial,
    WhyNotRecord,
    shortfall,
)

Json = dict[str, Any]


def proof_json(proof: ProofRecord) -> Json:
    """A proof: the facts by their place in the run, each with the rules that gave it.

    Facts that are named and not explained come last, without reasons, so that no place is named that is not there.
    """
    ruleset = proof.ruleset
    facts: list[Json] = []
    named: dict[int, Stand] = {stand.place: stand for stand in proof.roots}
    for node in proof.nodes:
        fact = _stand(ruleset, node.stand)
        if not node.stand.given:
            fact["reasons"] = [trial_json(ruleset, trial) for trial in node.reasons]
        facts.append(fact)
        named.update((stand.place, stand) for trial in node.reasons for stand in trial.named())
    for node in proof.nodes:
        named.pop(node.stand.place, None)
    facts += [_stand(ruleset, stand) for _, stand in sorted(named.items())]
    found = _about(ruleset, proof.subject, proof.as_of)
    if proof.status is not None:
        status, since = proof.status
        found["status"] = status
        found["since"] = None if since is None else ruleset.zone.format(since)
    return {
        **found,
        "explains": [stand.place for stand in proof.roots],
        "facts": facts,
        "unexplained": proof.unexplained,
    }


def why_not_json(answer: WhyNotRecord) -> Json:
    """Why a kind was not derived: how far each rule got that could derive it."""
    ruleset = answer.ruleset
    found = _about(ruleset, answer.subject, answer.as_of)
    found["kind"] = answer.kind.name
    if answer.at is not None:
        found["from"], found["until"] = (ruleset.zone.format(at) for at in answer.at)
    found["derived"] = [record(ruleset, stand.fact) for stand in answer.derived]
    found["pending"] = [record(ruleset, fact) for fact in answer.pending]
    found["over"] = None if answer.over is None else record(ruleset, answer.over.fact)
    found["voided"] = [_left_out(ruleset, left) for left in answer.voided]
    found["rules"] = [_answer(ruleset, rule) for rule in answer.rules]
    return found


def _about(ruleset: Ruleset, subject: str, as_of: int) -> Json:
    return {
        "ruleset": ruleset.name,
        "version": ruleset.version,
        ruleset.subject: subject,
        "as_of": ruleset.zone.format(as_of),
    }


def _answer(ruleset: Ruleset, answer: RuleAnswer) -> Json:
    found: Json = {
        **_rule(answer.rule),
        "triggers": answer.triggers,
        "nearest": None if answer.trial is None else trial_json(ruleset, answer.trial, True),
        "absent": [why_not_json(inner) for inner in answer.absent],
    }
    if answer.hint is not None:
        found["hint"] = {
            "like": record(ruleset, answer.hint.like),
            "add": [record(ruleset, fact) for fact in answer.hint.facts],
            "brings": record(ruleset, answer.hint.brings, answer.rule.name),
        }
    return found


def _stand(ruleset: Ruleset, stand: Stand) -> Json:
    found: Json = {"id": stand.place, "fact": record(ruleset, stand.fact), "given": stand.given}
    if stand.scheduled:
        found["scheduled"] = True
    return found


def _rule(rule: Rule) -> Json:
    found: Json = {"rule": rule.name, "place": f"{rule.span.source.name}:{rule.span.line}"}
    if rule.cite:
        found["cite"] = rule.cite
    if rule.title:
        found["title"] = dict(rule.title)
    return found


def trial_json(ruleset: Ruleset, trial: Trial, whole: bool = False) -> Json:
    """A rule tried for a trigger; facts by their place in the run, or `whole`."""

    def fact(stand: Stand) -> Any:
        return record(ruleset, stand.fact) if whole else stand.place

    found: Json = {**_rule(trial.rule), "stage": trial.stage, "trigger": fact(trial.trigger)}
    if trial.joined:
        found["with"] = [
            {
                "alias": join.alias,
                "selection": join.text,
                "fact": None if join.stand is None else fact(join.stand),
            }
            for join in trial.joined
        ]
    if trial.conditions:
        found["if"] = [term_json(ruleset, term, whole) for term in trial.conditions]
    if trial.climb is not None:
        found["ladder"] = _climb(ruleset, trial.climb, whole)
    if trial.lets:
        found["let"] = {name: term_json(ruleset, term, whole) for name, term in trial.lets}
    if trial.lets_before:
        found["let_before"] = {name: term_json(ruleset, term, whole) for name, term in trial.lets_before}
    if trial.gives:
        found["gives"] = {given.field: term_json(ruleset, given.term, whole) for given in trial.gives}
    if trial.scheduled is not None:
        found["scheduled"] = term_json(ruleset, trial.scheduled, whole)
    if trial.message:
        found["message"] = trial.message
    return found


def _climb(ruleset: Ruleset, climb: Climb, whole: bool) -> Json:
    return {
        "before": term_json(ruleset, climb.before, whole),
        "now": term_json(ruleset, climb.now, whole),
        "steps": list(climb.thresholds),
        "crossed": climb.crossed,
    }


def value_json(ruleset: Ruleset, type_: Type, value: Constant | None) -> Any:
    """A value as output shows it: times with the ruleset's offset, durations as ISO 8601 seconds."""
    if isinstance(value, Period):
        return str(value)
    if value is not None and type_ == TIME:
        return ruleset.zone.format(int(value))
    if value is not None and type_ == DURATION:
        return format_duration(int(value))
    return value


def term_json(ruleset: Ruleset, term: Term, whole: bool = False) -> Json:
    """An expression, what it came to, and its parts."""
    found: Json = {
        "form": term.form,
        "text": term.text,
        "value": value_json(ruleset, term.type, term.value),
    }
    if term.form in ("operation", "logic", "aggregate"):
        found["operator"] = term.name
    if term.value is False and (short := shortfall(term)) is not None:
        found["short"] = short
    if term.parts:
        found["parts"] = [term_json(ruleset, part, whole) for part in term.parts]
    if term.tally is not None:
        found.update(_tally(ruleset, term.tally, whole))
    return found


def _tally(ruleset: Ruleset, tally: Tally, whole: bool) -> Json:
    found: Json = {"kind": tally.kind.name}
    if tally.slot is not None:
        found["field"] = "at" if tally.slot < 0 else tally.kind.fields[tally.slot].name
    if tally.key:
        found["by"] = {name: value_json(ruleset, term.type, term.value) for name, term in tally.key}
    if tally.where:
        found["where"] = tally.where
    if tally.window:
        found["window"] = tally.window
    if tally.begins is not None:
        found["begins"] = _instant(ruleset, tally.begins)
        found["inclusive"] = tally.inclusive
    if tally.since is not None:
        found["since"] = record(ruleset, tally.since.fact) if whole else tally.since.place
    if tally.earlier_only:
        found["earlier_steps_only"] = True
    if tally.clear_from is not None:
        found["clear_from"] = _instant(ruleset, tally.clear_from)
    found["counted"] = [record(ruleset, s.fact) if whole else s.place for s in tally.counted]
    if tally.left_out_total:
        found["left_out"] = [_left_out(ruleset, left) for left in tally.left_out]
        found["left_out_total"] = tally.left_out_total
    if tally.not_derived:
        found["not_derived"] = [_not_derived(ruleset, missed) for missed in tally.not_derived]
    return found


def _instant(ruleset: Ruleset, at: int) -> str | None:
    """An instant; None where a window reaches beyond the years that have a name."""
    try:
        return ruleset.zone.format(at)
    except (ArithmeticFault, ValueError, OverflowError):
        return None


def _left_out(ruleset: Ruleset, left: LeftOut) -> Json:
    return {"fact": record(ruleset, left.fact), "because": [_cause(ruleset, cause) for cause in left.causes]}


def _cause(ruleset: Ruleset, cause: Cause) -> Json:
    found: Json = {"code": cause.code}
    if cause.type is not None:
        found["field"] = cause.field
        found["found"] = value_json(ruleset, cause.type, cause.found)
        found["wanted"] = value_json(ruleset, cause.type, cause.wanted)
    if cause.code == "window":
        found["gap"] = format_duration(cause.gap)
    if cause.code == "unknown":
        found["known_at"] = ruleset.zone.format(cause.instant)
    if cause.fact is not None:
        found["fact"] = record(ruleset, cause.fact)
    if cause.text:
        found["where" if cause.code == "where" else "rule"] = cause.text
    return found


def _not_derived(ruleset: Ruleset, missed: NotDerived) -> Json:
    found: Json = {"fact": record(ruleset, missed.fact), "rule": missed.rule.name}
    if missed.voided is not None:
        found["because"] = _cause(ruleset, missed.voided)
    if missed.trial is not None:
        found["stage"] = missed.trial.stage
        if missed.trial.stage == "condition":
            found["failed"] = term_json(ruleset, missed.trial.conditions[-1], True)
    return found
