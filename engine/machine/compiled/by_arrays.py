"""One subject's run by the dialect of arrays, told as every engine tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from strikeout.facts import Fact
from strikeout.graphs import GraphView
from strikeout.machine.timeline import SCHEDULED_STEPS, Rejection, SubjectRun, Voided

from .arrays_layout import AT, CULPRIT, DUE, FAULT, FIELDS, HALF, KIND, LOWER, PLACES, REASON, STATUS, WHAT
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
        subject_code = codes.code(subject)
        raw = run_raw(self.module.drive, kernel, self.ruleset, subject_code, columns, flags, as_of, literals)
        later = tuple([fact for fact, flag in zip(facts, flags, strict=True) if flag == 1])
        used = [fact for fact, flag in zip(facts, flags, strict=True) if flag == 0]
        status, wrong, faulty = 0, 0, 0
        if raw.rejected is not None:
            status, wrong, faulty = int(raw.rejected[STATUS]), int(raw.rejected[FAULT]), int(raw.rejected[CULPRIT])
        site, number = wrong >> REASON, wrong & ((1 << REASON) - 1)
        if status == 3:
            fact, rule = facts[faulty], self.ruleset.void_rules[number]
            return self._rejected(subject, as_of, later, self._void_plan, site, rule, fact, fact.from_then_on)
        rows: list[Any] = []
        for row in raw.derived:
            place, of = int(row[PLACES]) >> HALF, int(row[PLACES]) & LOWER
            kind, derivation = self.ruleset.kinds[int(row[WHAT]) & KIND], int(row[WHAT]) >> REASON
            if status == 2 and wrong > 0 and place > faulty:
                break
            values = decode(kind, row[FIELDS:], kernel.layout, codes)
            if int(row[WHAT]) & DUE:
                trigger = int(raw.scheduled[of, PLACES])
                rows.append((place, (int(row[AT]), of, kind.index, values, derivation, trigger)))
            else:
                rows.append((place, derivation, of, values))
        if status == 2:
            if wrong > 0:
                fact = self.program.entries(subject, used, rows, [], [])[0][faulty].fact
                rule = self.ruleset.rules[number]
                return self._rejected(subject, as_of, later, self._plan, site, rule, fact, fact.at)
            due, kind_number, values, derivation, _ = self._waiting(raw.scheduled[-wrong], codes)
            reasoned = self._plan.derivations[derivation]
            fact = Fact(self.ruleset.kinds[kind_number], due, subject, values, 0, due)
            message = f"more than {SCHEDULED_STEPS * (1 + len(used)):,} scheduled steps"
            span = reasoned.derivation.span
            rejection = Rejection("steps", message, subject, reasoned.rule, fact, span, due)
            return SubjectRun(subject, as_of, (), (), (), later, 0, rejection)
        waiting = []
        for number in raw.waiting:
            due, kind_number, values, derivation, trigger = self._waiting(raw.scheduled[number], codes)
            waiting.append((due, number, kind_number, values, derivation, trigger))
        again = [(int(x[0]), int(x[1]), int(x[2])) for x in raw.again]
        entries, pending = self.program.entries(subject, used, rows, again, waiting)
        voided = tuple(
            Voided(fact, facts[int(raw.voids[n, 0])], self.ruleset.void_rules[int(raw.voids[n, 1])])
            for n, fact in enumerate(facts)
            if flags[n] == 2
        )
        return SubjectRun(subject, as_of, tuple(entries), pending, voided, later, len(used), None, len(rows))

    def _waiting(self, row: Any, codes: Codes) -> tuple[int, int, Any, int, int]:
        """What was scheduled: its instant, kind, values, derivation and the place of its trigger."""
        what = int(row[WHAT])
        values = decode(self.ruleset.kinds[what & KIND], row[FIELDS:], self.kernel.layout, codes)
        return int(row[AT]), what & KIND, values, what >> REASON, int(row[PLACES])

    @staticmethod
    def _rejected(
        subject: str, as_of: int, later: tuple[Fact, ...], plan: Plan, number: int, rule: Any, fact: Fact, at: int
    ) -> SubjectRun:
        site = plan.sites[number - 1]
        rejection = Rejection(site.code, site.message, subject, rule, fact, site.span, at)
        return SubjectRun(subject, as_of, (), (), (), later, 0, rejection)
