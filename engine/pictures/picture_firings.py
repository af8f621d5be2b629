"""The firings of a subject, step by step: what came, the rules that it triggered, and what they derived."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from strikeout.graphs.draw_firings import Firings, Step, draw_firings
from strikeout.graphs.draw_layers import Box, Link
from strikeout.graphs.draw_text import clean

from ..facts import Fact
from ..machine.timeline import Entry, Reason, SubjectRun
from ..model import Ruleset
from ..speech.outcome import rule_of
from .picture import Pen, Picture, Table, look_of

MOST_FIELDS = 3
"""How many fields the box of a fact shows."""

Firing = tuple[str, int]
"""A rule's name, and the place of its trigger."""


def firings_picture(ruleset: Ruleset, run: SubjectRun, language: str) -> Picture:
    """The firings of a subject.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the run.
    run : SubjectRun
        The run of the subject.
    language : str
        `zh` or `en`.
    """
    return _Firings(ruleset, run, language).picture()


class _Firings:
    def __init__(self, ruleset: Ruleset, run: SubjectRun, language: str) -> None:
        self.ruleset = ruleset
        self.run = run
        self.pen = Pen(ruleset, language)
        self.steps: dict[int, list[Entry]] = {}
        self.later: dict[int, list[tuple[Reason, Fact]]] = {}
        self.voids: dict[int, list[Fact]] = {}
        for entry in run.entries:
            self.steps.setdefault(entry.step, []).append(entry)
            if entry.scheduled:
                for reason in entry.reasons:
                    self.later.setdefault(reason.trigger.step, []).append((reason, entry.fact))
        for pending in run.pending:
            for reason in pending.reasons:
                self.later.setdefault(reason.trigger.step, []).append((reason, pending.fact))
        for void in run.voided:
            self.voids.setdefault(id(void.by), []).append(void.fact)
        self.strata = sorted({rule.stratum for rule in ruleset.rules})

    def picture(self) -> Picture:
        """The picture with its table."""
        pen, run = self.pen, self.run
        steps = tuple(self.step(number, entries) for number, entries in self.steps.items())
        headings = [pen.say("came")]
        for stratum in self.strata:
            headings += [pen.say("stratum", number=stratum), pen.say("derived")]
        firings = sum(box.round for step in steps for box in step.boxes)
        numbers = {"steps": f"{len(steps):,}", "firings": f"{firings:,}", "facts": f"{len(run.conclusions):,}"}
        ruleset = clean(pen.words.title(self.ruleset.title) or self.ruleset.name)
        as_of = pen.say("as-of", at=pen.words.instant(run.as_of))
        parts = pen.say("dot").join([ruleset, pen.say("steps", **numbers), as_of])
        found = Firings(
            pen.say("firings", subject=pen.subject(run.subject)),
            parts,
            parts,
            tuple(headings),
            steps,
            tuple(self.key()),
        )
        svg, notes = draw_firings(found, pen.language, self.tell)
        return Picture(svg, found.title, parts, tuple(notes), (self.table(),), pen.language)

    def step(self, number: int, entries: Sequence[Entry]) -> Step:
        """A step with its boxes and links."""
        pen = self.pen
        boxes: list[Box] = []
        links: list[Link] = []
        facts: dict[int, int] = {}
        firings: dict[Firing, int] = {}

        def firing(reason: Reason) -> int:
            identity = (reason.rule.name, reason.trigger.place)
            if identity not in firings:
                notes = () if reason.threshold is None else (pen.say("threshold", number=reason.threshold),)
                title = clean(pen.words.rule(reason.rule))
                layer = 1 + 2 * self.strata.index(reason.rule.stratum)
                firings[identity] = len(boxes)
                boxes.append(Box(layer, clean(reason.rule.name), "firing", notes, title, round=True))
                links.append(Link(facts[reason.trigger.place], firings[identity]))
            return firings[identity]

        weight = 1 if len(entries) > 1 else 0
        for entry in entries:
            fact = entry.fact
            brings = entry is entries[0]
            reasons = [] if brings else entry.reasons
            sources = [firing(reason) for reason in reasons]
            layer = max((boxes[source].layer for source in sources), default=-1) + 1
            facts[entry.place] = len(boxes)
            boxes.append(self.box(entry, layer, brings))
            links.extend(Link(source, facts[entry.place]) for source in dict.fromkeys(sources))
            weight = max(weight, 3 if fact.kind.effect else 0)
        planned: dict[int, int] = {}
        for reason, fact in self.later.get(number, ()):
            source = firing(reason)
            if id(fact) not in planned:
                planned[id(fact)] = len(boxes)
                note = pen.say("due", at=pen.words.instant(fact.at))
                boxes.append(Box(boxes[source].layer + 1, pen.fact(fact), "pending", (note,), pen.full(fact)))
            links.append(Link(source, planned[id(fact)], "dotted"))
            weight = max(weight, 2)
        at = pen.words.instant(entries[0].fact.at)
        return Step(number, at[:10], at[11:], tuple(boxes), tuple(links), weight)

    def box(self, entry: Entry, layer: int, brings: bool) -> Box:
        """A fact as a box."""
        pen, fact = self.pen, entry.fact
        fields = pen.fields(fact, entry.reasons[0].trigger.fact) if entry.reasons else []
        notes = fields if len(fields) <= MOST_FIELDS else [*fields[: MOST_FIELDS - 1], "…"]
        if brings and entry.scheduled:
            steps = dict.fromkeys(reason.trigger.step for reason in entry.reasons)
            notes.append(pen.say("scheduled-at", step=pen.say("comma").join(map(str, steps))))
        if id(fact) in self.voids:
            notes.append(pen.say("voids", facts=pen.names(self.voids[id(fact)])))
        look = look_of(self.ruleset, fact.kind) if fact.kind.effect else "given" if entry.given else "box"
        return Box(layer, pen.fact(fact), look, tuple(notes), pen.full(fact), bold=bool(fact.kind.effect))

    def tell(self, hidden: Sequence[Step]) -> list[str]:
        """What folded steps brought."""
        pen = self.pen

        def kind(fact: Fact) -> str:
            return pen.kind(fact.kind)

        entries = [entry for step in hidden for entry in self.steps[step.number]]
        came = [self.steps[step.number][0].fact for step in hidden]
        derived = [entry.fact for entry in entries if not entry.given and not entry.scheduled]
        first, last = hidden[0].date, hidden[-1].date
        span = first if first == last else pen.say("from-to", start=first, end=last)
        found = pen.say("fold-tale", number=f"{len(hidden):,}", span=span, came=pen.names(came, kind))
        return [found + (pen.say("fold-derived", facts=pen.names(derived, kind)) if derived else "")]

    def key(self) -> list[tuple[str, str]]:
        """The looks of boxes, with their words."""
        pen = self.pen
        found = [("bar:given", pen.say("fact")), ("bar:firing", pen.say("firing")), ("bar:box", pen.say("conclusion"))]
        if self.later:
            found.append(("bar:pending", pen.say("later")))
        present = {look_of(self.ruleset, e.fact.kind) for e in self.run.entries if e.fact.kind.effect}
        sanctions = [(f"bar:{look}", look) for look in ("low", "mid", "high") if look in present]
        if len(sanctions) == 1:
            return [*found, (sanctions[0][0], pen.say("sanctions"))]
        return [*found, *((bar, f"{pen.say('sanctions')}: {pen.say(f'sanction-{look}')}") for bar, look in sanctions)]

    def table(self) -> Table:
        """Every fact of the run, with the rule that derived it."""
        pen = self.pen
        headings = [pen.heading(name) for name in ("step", "at", "what", "rule")]
        instant: Callable[[int], str] = pen.words.instant
        rows = [
            dict(
                zip(
                    headings,
                    (
                        entry.step,
                        instant(entry.fact.at),
                        pen.full(entry.fact, dated=False),
                        "" if entry.given else clean(rule_of(entry)),
                    ),
                    strict=True,
                )
            )
            for entry in self.run.entries
        ]
        return Table.of(pen.say("firings", subject=pen.subject(self.run.subject)), headings, rows)
