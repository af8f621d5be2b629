"""Backtests row by row: slower, in bounded memory too, and with nothing but what every installation has."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from ..facts import Fact
from ..machine.timeline import Entry, SubjectRun, run_subject
from ..model import Ruleset
from ..reach.files import BadRow
from ..reach.streaming import Intake, Report, as_row, take_in
from ..reach.tables import JsonLines
from ..reach.writing import refusals
from ..speech.outcome import describe, rule_of, status
from .backtest import DIFFERENCES, Part, Spec, file_of, same_facts
from .tally import REJECTED, SIDES, Difference, Said, Tally, difference, month_of, sanctions_of

PART_SUBJECTS = 10_000
"""How many subjects make a part."""


class ByRows:
    """Runs a backtest row by row; made by `by_rows`.

    Attributes
    ----------
    as_of, bad_rows, plan
        As of `Runner`.
    """

    def __init__(self, spec: Spec, intakes: Sequence[Intake], report: Report) -> None:
        self._spec = spec
        self._intakes = intakes
        self._report = report
        self.as_of = max(intake.as_of or 0 for intake in intakes)
        self.bad_rows = intakes[0].bad_rows
        self.plan: dict[str, Any] = {}

    def parts(self, folder: Path, done: Mapping[int, Part], into: Path | None) -> Iterator[tuple[int, Part]]:
        """Each part by number, once its files are written; those that are done come as they are."""
        groups = self._groups()
        number = so_far = 0
        total = self._intakes[0].summary.given - self.bad_rows
        while True:
            part, facts = self._part(folder, number, groups, done.get(number))
            if part is None:
                break
            so_far += facts
            self._report("run", so_far, total)
            yield number, part
            number += 1
        if into is not None:
            self._assemble(folder, number, into)

    def _groups(self) -> Iterator[tuple[str, list[tuple[list[Fact], int]]]]:
        """Each subject by code point: its facts for each ruleset, and how many rows gave them."""
        if len(self._intakes) == 1:
            for subject, facts, records in self._intakes[0]._facts():
                yield subject, [(facts, len(records))] * len(self._spec.programs)
            return
        sides = [intake._facts() for intake in self._intakes]
        heads = [next(side, None) for side in sides]
        while any(heads):
            subject = min(head[0] for head in heads if head is not None)
            found: list[tuple[list[Fact], int]] = []
            for number, head in enumerate(heads):
                if head is not None and head[0] == subject:
                    found.append((head[1], len(head[2])))
                    heads[number] = next(sides[number], None)
                else:
                    found.append(([], 0))
            yield subject, found

    def _part(
        self,
        folder: Path,
        number: int,
        groups: Iterator[tuple[str, list[tuple[list[Fact], int]]]],
        done: Part | None,
    ) -> tuple[Part | None, int]:
        """The next part and how many facts it has; nothing, where all subjects were run."""
        spec = self._spec
        whole = Part([Tally() for _ in spec.programs], rejected=[[] for _ in spec.programs])
        subjects = rows = 0
        with ExitStack() as stack:
            sides = range(len(spec.programs))
            names = [*spec.names, *([DIFFERENCES] if len(spec.programs) == 2 else [])]
            files = [] if done else [stack.enter_context(_made(file_of(folder, number, n, "jsonl"))) for n in names]
            writers = [JsonLines(files[side], spec.rulesets[side]) for side in sides] if files else []
            for subject, given in groups:
                subjects += 1
                rows += given[0][1]
                if not done:
                    runs = [run_subject(spec.programs[s], subject, given[s][0], self.as_of) for s in sides]
                    self._count(whole, runs, given)
                    for writer, run in zip(writers, runs, strict=True):
                        writer.add(run.conclusions)
                    found = self._difference(subject, runs)
                    if found is not None:
                        whole.differences.add_subject(found)
                        files[2].write(_line(spec.rulesets[0], found))
                if subjects == PART_SUBJECTS:
                    break
        if not subjects:
            for name in names:
                file_of(folder, number, name, "jsonl").unlink(missing_ok=True)
            return None, 0
        return done or whole, rows

    def _count(self, whole: Part, runs: Sequence[SubjectRun], given: Sequence[tuple[list[Fact], int]]) -> None:
        for side, run in enumerate(runs):
            facts, rows = given[side]
            tally, ruleset = whole.tallies[side], self._spec.rulesets[side]
            tally.facts.given += rows
            tally.facts.duplicates += rows - len(facts)
            tally.facts.add_run(run, len(facts))
            if run.rejection is not None:
                whole.rejected[side].append(run.subject)
                tally.add_run(REJECTED, ())
                continue
            derived = ((month_of(ruleset, e.fact.at), e.fact.kind.name, rule_of(e)) for e in run.conclusions)
            tally.add_run(status(ruleset, run).kind, derived)

    def _difference(self, subject: str, runs: Sequence[SubjectRun]) -> Difference | None:
        if len(runs) == 1:
            return None
        one, other = (
            REJECTED if run.rejection is not None else status(ruleset, run).kind
            for ruleset, run in zip(self._spec.rulesets, runs, strict=True)
        )
        first, second = (sanctions_of(ruleset) for ruleset in self._spec.rulesets)
        said = (_said(runs[0].conclusions), _said(runs[1].conclusions))
        return difference(subject, (one, other), (first, second), said)

    def _assemble(self, folder: Path, parts: int, into: Path) -> None:
        """Put the files of all parts together."""
        sides = len(self._spec.programs)
        for name in (*self._spec.names, *([DIFFERENCES] if sides == 2 else [])):
            path = into / f"{name}.jsonl"
            with refusals(f"`{path}`"), open(path, "wb") as whole:
                for number in range(parts):
                    with open(file_of(folder, number, name, "jsonl"), "rb") as file:
                        shutil.copyfileobj(file, whole, 1 << 20)

    def refused(self, rejected: Sequence[Sequence[str]]) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Place, reason and row of each fact of the subjects whose runs were rejected."""
        for side, subjects in enumerate(rejected):
            program, wanted = self._spec.programs[side], frozenset(subjects)
            for subject, facts, places in self._intakes[side % len(self._intakes)].facts() if wanted else ():
                rejection = run_subject(program, subject, facts, self.as_of).rejection if subject in wanted else None
                if rejection is not None:
                    for fact, place in zip(facts, places, strict=True):
                        row: dict[str, object] = {**as_row(program.ruleset, fact)}
                        yield str(place), describe(rejection, program.ruleset), row


def _said(conclusions: Sequence[Entry]) -> list[tuple[Said, str]]:
    """Conclusions as two rulesets can share them, each with its rule."""
    found = []
    for entry in conclusions:
        fact = entry.fact
        pairs = zip(fact.kind.fields, fact.values, strict=True)
        fields: tuple[tuple[str, object], ...] = tuple(sorted((f.name, v) for f, v in pairs if v is not None))
        found.append(((fact.at, fact.kind.name, fields), rule_of(entry)))
    return found


def _line(ruleset: Ruleset, found: Difference) -> bytes:
    """A difference as a line of JSON."""
    line: dict[str, str] = {ruleset.subject: found.subject}
    line |= {"status_against": found.statuses[0], "status": found.statuses[1]}
    if found.at is not None and found.side is not None:
        line |= {"at": ruleset.zone.format(found.at), "only": SIDES[found.side], "rule": found.rule}
    return (json.dumps(line, ensure_ascii=False) + "\n").encode()


@contextlib.contextmanager
def _made(path: Path) -> Iterator[BinaryIO]:
    """A file of a part, which is there once it is complete."""
    made = path.with_name(f"{path.name}.tmp")
    with refusals(f"`{path}`"):
        with open(made, "wb") as file:
            yield file
        made.replace(path)


@contextlib.contextmanager
def by_rows(
    spec: Spec,
    plan: dict[str, Any] | None,
    done: Mapping[int, Part],
    refuse: Callable[[BadRow], None] | None,
    report: Report,
) -> Iterator[ByRows]:
    """Read and check all facts; the first half of a backtest. See `by_columns`."""
    rulesets = spec.rulesets
    with ExitStack() as stack:
        intakes = [
            stack.enter_context(take_in(ruleset, spec.rows, as_of=spec.as_of, refuse=refuse, report=report))
            for ruleset in (rulesets if len(rulesets) == 2 and not same_facts(*rulesets) else rulesets[:1])
        ]
        yield ByRows(spec, intakes, report)
