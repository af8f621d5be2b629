"""One subject's run by the dialect of arrays, told as every engine tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from strikeout.facts import Fact
from strikeout.graphs import GraphView
from strikeout.machine.timeline import SCHEDULED_STEPS, Rejection, SubjectRun, Voided

from .arrays import AT, DERIVATION, FAULTY, FIELDS, KIND, ORIGIN, PLACES, RULE, SITE, TRIGGER
from .bridge import Codes, columns_of, decode, run_raw
from .kernel import Kernel
from .plan import Plan
from .program import CompiledProgram


class ArrayProgram:
    """A ruleset in the dialect of arrays, run a subject at a time.

    Parameters
    ----------
    program : CompiledProgram
        The compiled ruleset.
    load : callable
        Gives the module of a source: its functions, compiled by numba or as they are.
    """

    def __init__(self, program: CompiledProgram, load: Callable[[str], Any]) -> None:
        self.ruleset = program.ruleset
        self.program = program
        self.kernel, self._plan, self._void_plan = program.kernel()
        self.module = load(self.kernel.source)

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""
        return self.program.view(subject)

    def run_subject(self, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
        """Run the facts of one subject; see `CompiledProgram.run_subject`."""
        kernel: Kernel = self.kernel
        codes = Codes(kernel.texts)
        literals = np.arange(len(kernel.texts), dtype=np.int64)
        columns = columns_of(kernel.layout, facts, codes)
        flags = np.array([int(fact.from_then_on > as_of) for fact in facts], np.int64)
        raw = run_raw(
            self.module.decide_one, kernel, self.ruleset, codes.code(subject), columns, flags, as_of, literals
        )
        later = tuple([fact for fact, flag in zip(facts, flags, strict=True) if flag == 1])
        used = [fact for fact, flag in zip(facts, flags, strict=True) if flag == 0]
        if raw.status == 3:
            fact = facts[int(raw.entries[raw.state[FAULTY], ORIGIN])]
            rule = self.ruleset.void_rules[int(raw.state[RULE])]
            return self._rejected(
                subject, as_of, later, self._void_plan, int(raw.state[SITE]), rule, fact, fact.from_then_on
            )
        rows: list[Any] = []
        places = int(raw.state[PLACES])
        if raw.status == 2 and raw.state[SITE]:
            places = int(raw.state[FAULTY]) + 1
        for place in range(places):
            e = raw.entries[place]
            if e[DERIVATION] < 0:
                continue
            kind = self.ruleset.kinds[int(e[KIND])]
            values = decode(kind, e[FIELDS:], kernel.layout, codes)
            number, trigger = int(e[DERIVATION]), int(e[TRIGGER])
            if e[ORIGIN] < 0:
                rows.append((place, (int(e[AT]), -int(e[ORIGIN]), kind.index, values, number, trigger)))
            else:
                rows.append((place, number, trigger, values))
        if raw.status == 2:
            if raw.state[SITE]:
                fact = self.program.entries(subject, used, rows, [], [])[0][int(raw.state[FAULTY])].fact
                rule = self.ruleset.rules[int(raw.state[RULE])]
                return self._rejected(subject, as_of, later, self._plan, int(raw.state[SITE]), rule, fact, fact.at)
            item = raw.scheduled[int(raw.state[RULE])]
            reasoned = self._plan.derivations[int(item[DERIVATION])]
            kind, due = self.ruleset.kinds[int(item[KIND])], int(item[AT])
            fact = Fact(kind, due, subject, decode(kind, item[FIELDS:], kernel.layout, codes), 0, due)
            message = f"more than {SCHEDULED_STEPS * (1 + len(used)):,} scheduled steps"
            span = reasoned.derivation.span
            rejection = Rejection("steps", message, subject, reasoned.rule, fact, span, due)
            return SubjectRun(subject, as_of, (), (), (), later, 0, rejection)
        waiting = []
        for number in raw.waiting:
            h = raw.scheduled[number]
            kind = self.ruleset.kinds[int(h[KIND])]
            values = decode(kind, h[FIELDS:], kernel.layout, codes)
            waiting.append((int(h[AT]), number, kind.index, values, int(h[DERIVATION]), int(h[TRIGGER])))
        again = [(int(x[0]), int(x[1]), int(x[2])) for x in raw.again]
        entries, pending = self.program.entries(subject, used, rows, again, waiting)
        voided = tuple(
            Voided(fact, facts[int(raw.voids[n, 0])], self.ruleset.void_rules[int(raw.voids[n, 1])])
            for n, fact in enumerate(facts)
            if flags[n] == 2
        )
        return SubjectRun(subject, as_of, tuple(entries), pending, voided, later, len(used))

    @staticmethod
    def _rejected(
        subject: str, as_of: int, later: tuple[Fact, ...], plan: Plan, number: int, rule: Any, fact: Fact, at: int
    ) -> SubjectRun:
        site = plan.sites[number - 1]
        rejection = Rejection(site.code, site.message, subject, rule, fact, site.span, at)
        return SubjectRun(subject, as_of, (), (), (), later, 0, rejection)
