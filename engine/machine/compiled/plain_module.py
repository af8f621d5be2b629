"""The module of the plain dialect, written out: functions of one subject's facts."""

from __future__ import annotations

import re

from strikeout.model import Ruleset

from .plain import Plain
from .plain_values import GIVEN, IMPORTS, initial
from .plan import Bounds, Keys, Plan
from .writer import Names, Writer

HEAD = '''its rules as a function of one subject's facts.

All facts that stand have a place in their order; a step goes by the place of the fact that brings it. `rows` takes
what is derived (place, derivation, the trigger's place, values) and what falls due (place, what was scheduled),
`again` further reasons of a place, `waiting` what is scheduled. Nothing is returned, or a fault: its number, the rule
and the trigger's place.
"""
'''


def source(ruleset: Ruleset, plan: Plan, void_plan: Plan, bounds: Bounds, resumable: bool = False) -> str:
    """The source of the plain module of a ruleset: `run`, and `voids` where it has void rules.

    Where they are to be `resumable`, each makes what is kept of a subject and gives the function that goes on with it.
    """
    run = _written(ruleset, plan, bounds, False, resumable)
    functions = [_function(run)]
    if ruleset.void_rules:
        functions.insert(0, _function(_written(ruleset, void_plan, bounds, True, resumable)))
    return "\n\n\n".join([_head(ruleset, plan, "\n".join(functions)), *functions]) + "\n"


def _head(ruleset: Ruleset, plan: Plan, text: str) -> str:
    """The head of a module: what its numbers mean, and what it calls."""
    out = Writer(Names(set()))
    for line in HEAD.splitlines():
        out.line(line)
    called = set(re.findall(r"[A-Za-z_]\w*", text))
    for module, names in IMPORTS.items():
        found = [name for name in names if name in called]
        if found:
            out.line(f"from {module} import {', '.join(found)}")
    found = [name for name in GIVEN if name in called]
    if found:
        calendar = f" and the calendar {ruleset.calendar.name}" if ruleset.calendar is not None else ""
        out.line("")
        out.comment(f"of the time zone {ruleset.zone.name}{calendar}: {', '.join(found)}")
    out.line("")
    for number, told in enumerate(plan.derivations):
        step = "" if told.threshold is None else f" at {told.threshold}"
        out.comment(f"derivation {number}: {told.rule.name}{step} -> {told.derivation.kind.name}")
    title = f"{ruleset.name} {ruleset.version}".replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{title}: ' + "\n".join(out.lines)


def _written(ruleset: Ruleset, plan: Plan, bounds: Bounds, void: bool, resumable: bool) -> Plain:
    """The steps of a function, written twice: only then all that is kept is known."""
    made = Plain(ruleset, plan, bounds, void, resumable)
    made.body()
    made = Plain(ruleset, plan, bounds, void, resumable)
    made.out.depth = 3 if resumable else 2
    made.body()
    return made


def _function(made: Plain) -> str:
    body, out = made.out.lines, Writer(Names(set()))
    made.out = out
    void = made.is_void
    name, told = ("voids", "firings") if void else ("run", "rows, again, waiting")
    given = "facts" if void else "facts, as_of, limit"
    parameters = f"subject, {told}, trail, marks, taken" if made.resumable else f"subject, {given}, {told}"
    with out.block(f"def {name}({parameters}):"):
        _kept(made)
        if made.resumable:
            out.line("")
            with out.block(f"def go_on({given}):"):
                _loop(made, body)
            out.line("")
            out.line("return go_on")
        else:
            _loop(made, body)
    return "\n".join(line.rstrip() for line in out.lines)


def _kept(made: Plain) -> None:
    """Write where things are kept by key."""
    out, plan = made.out, made.plan
    for number, table in made.tables.items():
        out.line(f"{table} = {{}}")
        out.line(f"{table}_missing = {made.initial(plan.classes[number])}")
        _legend(made, plan.classes[number])
    for (_, what), cell in made.cells.items():
        out.line(f"{cell} = {initial(what)}")
    if made.resumable:
        for keys in plan.classes:
            if not keys.names:
                out.line(f"of_all = {made.initial(keys)}")
                _legend(made, keys)
        out.line(f"marks.append((0, 0, 0, {', '.join(_lasting(made).values())}))")


def _legend(made: Plain, keys: Keys) -> None:
    """Write what is what in a record."""
    for place, (number, what) in enumerate(keys.fields):
        index = made.plan.indices[number]
        name, _, slot = what.rpartition(":")
        if slot.isdigit():
            _, other, _ = what.split("/") if what.startswith("base/") else ("", number, "")
            what = f"{name}:{made.plan.indices[int(other)].kind.fields[int(slot)].name}"
        made.out.comment(f"[{place}] {what} of: {index.text}")


def _lasting(made: Plain) -> dict[str, str]:
    """The variables that last from step to step, but for what is kept by key, and their values before the first."""
    lasting = {"place": "-1"}
    if not made.is_void:
        lasting["over"] = "False"
    for index in made.plan.indices:
        if index.fallible:
            lasting[f"where_fault_{index.number}"] = lasting[f"where_fault_{index.number}_step"] = "0"
    if made.schedules:
        lasting |= {"scheduled": "0", "fallen": "0"}
    return lasting


def _loop(made: Plain, body: list[str]) -> None:
    """Write the loop over the steps."""
    out, void, schedules = made.out, made.is_void, made.schedules
    lasting = _lasting(made)
    lengths = "len(trail), len(firings), 0" if void else "len(trail), len(rows), len(again)"
    mark = f"marks.append(({lengths}, {', '.join(lasting)}))"
    if made.resumable:
        out.line(f"_, _, _, {', '.join(lasting)} = marks.pop()")
    else:
        for name, value in lasting.items():
            out.line(f"{name} = {value}")
    for fresh in made.fresh_lists.values():
        out.line(f"{fresh} = []")
    twins = [("derived", made.bounds.derived), ("planned", made.bounds.scheduled)]
    used = [] if void else [name for name, numbers in twins if any(n > 1 for n in numbers)]
    for name in used:
        out.line(f"{name} = {{}}")
    if schedules:
        out.line("position = 0")
        out.line("end = len(facts)")
    with out.block("while True:" if schedules else "for fact in facts:"):
        if made.resumable:
            out.line(mark)
        if schedules:
            _due(made)
        else:
            _brought(made)
        out.line("step = place")
        if not void:
            if made.ruleset.terminal is not None:
                with out.block("if over:"):
                    out.line("continue")
            for name in used:
                with out.block(f"if {name}:"):
                    out.line(f"{name}.clear()")
            for place, _ in made.places.values():
                out.line(f"{place} = -1")
            for here in made.lists.values():
                out.line(f"{here} = []")
        out.lines += body
    if made.resumable and not schedules:
        out.line(mark)
    out.line("return None")


def _due(made: Plain) -> None:
    """Write which comes next: what falls due, at one instant before inputs, or an input fact (semantics 4)."""
    out = made.out
    with out.block("if waiting and waiting[0][0] <= (facts[position].at if position < end else as_of):"):
        with out.block("if fallen >= limit:"):
            out.line("return 0, 0, waiting[0]")
        out.line("item = heappop(waiting)")
        out.line("fallen += 1")
        out.line("place += 1")
        out.line("at, _, kind, values, _, _ = item")
        out.line("rows.append((place, item))")
    with out.block("elif position < end:"):
        out.line("fact = facts[position]")
        out.line("position += 1")
        _brought(made)
    with out.block("else:"):
        out.line("break")


def _brought(made: Plain) -> None:
    """Write that an input fact brings a step."""
    if made.resumable:
        made.out.line("taken.append(len(marks) - 1)")
    made.out.line("place += 1")
    made.out.line("kind = fact.kind.index")
    made.out.line("at = fact.at")
    made.out.line("values = fact.values")
