"""The timeline of a subject: complaints by whom and for which right, conclusions, windows, sanctions, deadlines."""

from __future__ import annotations

from collections.abc import Iterator

from strikeout.graphs.draw_lanes import Bar, Lane, Mark
from strikeout.graphs.draw_text import clean
from strikeout.graphs.draw_timeline import History, draw_timeline

from ..facts import INTEGER, Fact, Kind, Value
from ..ground.values import Period
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset
from ..speech.fates import Fate, Fates, roles
from ..speech.outcome import FOREVER, GOOD_STANDING, active_spans, rule_of, status
from ..why.history import History as Facts
from .picture import Pen, Picture, Table, first_id, look_of, shown
from .windows import Windows

MOST_LANES = 7
"""How many lanes a group has at most; what is beyond shares one."""


def timeline_picture(ruleset: Ruleset, run: SubjectRun, language: str) -> Picture:
    """The timeline of a subject.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the run.
    run : SubjectRun
        The run of the subject.
    language : str
        `zh` or `en`.
    """
    return _Timeline(ruleset, run, language).picture()


class _Timeline:
    def __init__(self, ruleset: Ruleset, run: SubjectRun, language: str) -> None:
        self.ruleset = ruleset
        self.run = run
        self.pen = Pen(ruleset, language)
        self.roles = roles(ruleset)
        self.fates = Fates(ruleset, run, self.roles).all()
        self.facts = Facts(ruleset, run)
        self.windows = Windows(self.facts)

    def picture(self) -> Picture:
        """The picture with its tables."""
        pen, run = self.pen, self.run
        groups = [
            ("complaints", self.complaints()),
            ("facts", self.others()),
            ("conclusions", self.conclusions()),
            ("sanctions", self.sanctions()),
            ("ahead", self.pending()),
        ]
        found = status(self.ruleset, run)
        since = "" if found.since is None else pen.words.instant(found.since)
        name = found.kind if found.kind == GOOD_STANDING else pen.kind(self.ruleset.kinds_by_name[found.kind])
        stands = pen.say("status-since", status=name, at=since) if since else pen.say("status", status=name)
        numbers = pen.counts(s.state for s in self.fates)
        as_of = pen.say("as-of", at=pen.words.instant(run.as_of))
        title = pen.say("timeline", subject=pen.subject(run.subject))
        ruleset = clean(pen.words.title(self.ruleset.title) or self.ruleset.name)
        history = History(
            title=title,
            subtitle=pen.say("dot").join([ruleset, stands, numbers]),
            description=pen.say("dot").join([ruleset, as_of, stands, numbers]),
            groups=tuple((pen.say(name), tuple(lanes)) for name, lanes in groups if lanes),
            now=run.as_of,
            now_text=as_of,
            key=tuple(self.key()),
        )
        svg, notes = draw_timeline(history, self.ruleset.zone, pen.language)
        return Picture(svg, title, history.description, tuple(notes), tuple(self.tables()), pen.language)

    # Lanes.

    def complaints(self) -> list[Lane]:
        """A lane for each complainant and right, those with most complaints; the others share one."""
        pen = self.pen
        pairs: dict[tuple[str, ...], list[Mark]] = {}
        for fate in self.fates:
            fact = fate.fact
            pair = tuple(
                str(value)
                for field in (self.roles.complainant, self.roles.right)
                if field is not None and (value := fact.get(field)) is not None
            )
            name = fact.get(self.roles.name) if self.roles.name is not None else None
            words = pen.say("dot").join(part for part in (pen.full(fact), pen.say(fate.state), pen.why(fate)) if part)
            mark = Mark(fact.at, fate.state, shown(str(name)) if name is not None else "", words)
            pairs.setdefault(pair, []).append(mark)
        lanes = []
        for pair, marks in pairs.items():
            kind = pen.kind(self.fates[0].fact.kind)
            lanes.append(Lane(pen.say("dot").join(map(shown, pair)) or kind, marks=tuple(marks)))
        return self.fewer(lanes, "other-lanes")

    def fewer(self, lanes: list[Lane], phrase: str) -> list[Lane]:
        """At most so many lanes: those with the most marks, in their order, and one for the rest."""
        if len(lanes) <= MOST_LANES:
            return lanes
        ranked = sorted(range(len(lanes)), key=lambda n: (-len(lanes[n].marks), n))
        kept = sorted(ranked[: MOST_LANES - 1])
        rest = sorted(ranked[MOST_LANES - 1 :])
        marks = sorted((mark for n in rest for mark in lanes[n].marks), key=lambda mark: mark.at)
        return [*(lanes[n] for n in kept), Lane(self.pen.say(phrase, number=f"{len(rest):,}"), marks=tuple(marks))]

    def others(self) -> list[Lane]:
        """A lane for each kind of fact that was given and is no complaint."""
        return self.by_kind(
            entry.fact
            for entry in self.run.entries
            if entry.given and not entry.fact.kind.effect and entry.fact.kind.index not in self.roles.kinds
        )

    def by_kind(self, facts: Iterator[Fact], state: str = "") -> list[Lane]:
        """A lane of marks for each kind."""
        found: dict[int, list[Mark]] = {}
        for fact in facts:
            found.setdefault(fact.kind.index, []).append(
                Mark(fact.at, state, shown(first_id(fact)), self.pen.full(fact))
            )
        lanes = [
            Lane(self.pen.kind(kind), self.pen.title_of(kind), tuple(found[kind.index]))
            for kind in self.ruleset.kinds
            if kind.index in found
        ]
        return self.fewer(lanes, "other-kinds")

    def conclusions(self) -> list[Lane]:
        """A lane for each kind that was derived and is no sanction, with the windows in which others merge."""
        lanes = []
        for kind in self.ruleset.kinds:
            entries = [e for e in self.facts.kinds[kind.index].entries if not e.given]
            if not entries or kind.effect:
                continue
            keys = self.windows.counted_by(kind)
            marks = []
            numbers: dict[tuple[Value, ...], int] = {}
            for entry in entries:
                label = self.label(entry, keys, numbers)
                until = self.windows.until(entry.fact)
                marks.append(Mark(entry.fact.at, "box", label, self.pen.full(entry.fact), until))
            notes = self.lengths(kind)
            if keys is not None:
                fields = self.pen.say("comma").join(kind.fields[slot].name for slot in keys)
                notes.insert(0, self.pen.say("counted-by", fields=fields) if keys else self.pen.say("counted-all"))
            lanes.append(Lane(self.pen.kind(kind), self.pen.say("semicolon").join(notes), tuple(marks)))
        return self.fewer(lanes, "other-kinds")

    def label(self, entry: Entry, keys: tuple[int, ...] | None, numbers: dict[tuple[Value, ...], int]) -> str:
        """What stands beside a conclusion: its number where it is counted, else its amounts, else its id."""
        fact = entry.fact
        if keys is not None:
            key = tuple(fact.values[slot] for slot in keys)
            numbers[key] = numbers.get(key, 0) + 1
            return f"{numbers[key]:,}"
        amounts = [
            f"{value:,}"
            for field, value in zip(fact.kind.fields, fact.values, strict=True)
            if field.type == INTEGER and field.required and value is not None
        ]
        return self.pen.say("comma").join(amounts) or shown(first_id(fact))

    def lengths(self, kind: Kind) -> list[str]:
        """How long the windows of a kind are, in words."""
        found = []
        for _, window in self.windows.of(kind):
            length = self.windows.length(window, self.run.as_of)
            if length is not None:
                told = str(length) if isinstance(length, Period) else self.pen.words.length(length)
                found.append(self.pen.say("window-of", length=told))
        return list(dict.fromkeys(found))

    def sanctions(self) -> list[Lane]:
        """A lane for each kind with an effect that was given or derived, a bar for each fact."""
        pen = self.pen
        bars: dict[int, list[Bar]] = {}
        for start, end, entry in self.spans():
            kind = entry.fact.kind
            length = "" if end is None else pen.words.length(end - start)
            label = pen.say("dot").join(part for part in (pen.kind(kind), length) if part)
            span = self.span(start, end)
            bars.setdefault(kind.index, []).append(
                Bar(start, end, look_of(self.ruleset, kind), label, f"{pen.full(entry.fact)}{pen.say('dot')}{span}")
            )
        return [
            Lane(pen.kind(kind), pen.title_of(kind), bars=tuple(bars[kind.index]))
            for kind in sorted(self.ruleset.kinds, key=lambda kind: (kind.severity, kind.index))
            if kind.index in bars
        ]

    def spans(self) -> list[tuple[int, int | None, Entry]]:
        """The facts with an effect, from when and until when each is active."""
        entries = [entry for entry in self.run.entries if entry.fact.kind.effect]
        found = active_spans(self.ruleset, [entry.fact for entry in self.run.entries])
        return [
            (start, None if end >= FOREVER else max(end, start), entry)
            for entry, (_, start, end) in zip(entries, found, strict=True)
        ]

    def span(self, start: int, end: int | None) -> str:
        """From when until when, in words."""
        instant = self.pen.words.instant
        if end is None:
            return self.pen.say("from-on", start=instant(start))
        return self.pen.say("from-to", start=instant(start), end=instant(end))

    def pending(self) -> list[Lane]:
        """A lane for each kind that is scheduled."""
        return self.by_kind((pending.fact for pending in self.run.pending), "pending")

    def key(self) -> Iterator[tuple[str, str]]:
        """The marks that occur, with their words."""
        pen = self.pen
        states = {fate.state for fate in self.fates}
        if self.run.pending:
            states.add("pending")
        yield from pen.states_key(states)
        if any(not e.given or e.fact.kind.index not in self.roles.kinds for e in self.run.entries):
            yield "box", pen.say("fact") + " / " + pen.say("conclusion")
        if any(self.windows.of(kind) and self.facts.kinds[kind.index].entries for kind in self.ruleset.kinds):
            yield "bar:window", pen.say("window")
        yield "line:dashed", pen.say("now")

    # Tables.

    def tables(self) -> Iterator[Table]:
        """Complaints with what became of them, sanctions, and what is pending."""
        pen, words = self.pen, self.pen.words
        if self.fates:
            yield Table.of(pen.say("complaints"), *self.complaint_rows())
        others = [
            {
                pen.heading("at"): words.instant(e.fact.at),
                pen.heading("what"): pen.full(e.fact, dated=False),
                pen.heading("rule"): "" if e.given else clean(rule_of(e)),
            }
            for e in self.run.entries
            if e.fact.kind.index not in self.roles.kinds and not e.fact.kind.effect
        ]
        if others:
            yield Table.of(pen.say("facts") + " / " + pen.say("conclusions"), list(others[0]), others)
        sanctions = [
            {
                pen.heading("from"): words.instant(start),
                pen.heading("until"): "" if end is None else words.instant(end),
                pen.heading("what"): pen.full(entry.fact, dated=False),
                pen.heading("rule"): "" if entry.given else clean(rule_of(entry)),
            }
            for start, end, entry in self.spans()
        ]
        if sanctions:
            yield Table.of(pen.say("sanctions"), list(sanctions[0]), sanctions)
        ahead = [
            {pen.heading("at"): words.instant(p.fact.at), pen.heading("what"): pen.full(p.fact, dated=False)}
            for p in self.run.pending
        ]
        if ahead:
            yield Table.of(pen.say("ahead"), list(ahead[0]), ahead)

    def complaint_rows(self) -> tuple[list[str], list[dict[str, object]]]:
        """The columns and rows of the table of complaints."""
        pen = self.pen
        fields = [f for f in (self.roles.name, self.roles.complainant, self.roles.right) if f is not None]
        columns = [pen.heading("at"), *fields, pen.heading("state"), pen.heading("why")]

        def row(fate: Fate) -> dict[str, object]:
            fact = fate.fact
            ids = [None if (value := fact.get(field)) is None else shown(str(value)) for field in fields]
            cells = [pen.words.instant(fact.at), *ids, pen.say(fate.state), pen.why(fate)]
            return dict(zip(columns, cells, strict=True))

        return columns, [row(fate) for fate in self.fates]
