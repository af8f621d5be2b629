"""What a person asks about: a kind by its name, a fact as `KIND@AT` or as a record, and the facts of a run it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..facts import Fact, Kind
from ..ground.problems import RunError, listing, nearest, shorten
from ..ground.values import ArithmeticFault
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset
from ..speech.outcome import record


def kind_named(ruleset: Ruleset, name: str) -> Kind:
    """The kind of that name.

    Raises
    ------
    RunError
        Where the ruleset has none; the nearest is named.
    """
    text = str(name)  # callers in a notebook hand on whatever they have
    kind = ruleset.kinds_by_name.get(text)
    if kind is not None:
        return kind
    known = [kind.name for kind in ruleset.kinds]
    hint = nearest(text, known) or f"known are {listing(known, 20)}"
    raise RunError(f"`{shorten(text, 60)}` is no kind of `{ruleset.name}`; {hint}")


def check_most(most: object) -> None:
    """Refuse a number that lets nothing be told.

    Raises
    ------
    RunError
        Where it is no number from 1 on.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise RunError(f"`most` is `{shorten(str(most), 40)}`; expected a number from 1 on")


def instants(ruleset: Ruleset, text: str) -> tuple[int, int]:
    """The instants that a time means: from the first up to, not including, the second; a bare date is its local day.

    Raises
    ------
    RunError
        Where the text is no time.
    """
    zone = ruleset.zone
    try:
        start = zone.parse(text.strip())
        if "T" in text:
            return start, start + 1
        return start, zone.begin(zone.date(start) + 1)
    except (ValueError, ArithmeticFault) as error:
        raise RunError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Question:
    """A fact asked about: its kind, its instants, the fields that are given and, where named, the subject.

    Parameters
    ----------
    kind : Kind
        The kind.
    at : tuple of int and int, or None
        The instants, from the first up to the second.
    fields : tuple of str and value
        Fields as records have them.
    subject : str or None
        The subject.
    """

    kind: Kind
    at: tuple[int, int] | None
    fields: tuple[tuple[str, object], ...] = ()
    subject: str | None = None

    @classmethod
    def of(cls, ruleset: Ruleset, asked: str | Mapping[str, object]) -> Question:
        """The question that a text `KIND@AT` or a record asks.

        Raises
        ------
        RunError
            Where the kind or a field is unknown, or the time is none.

        Examples
        --------
        >>> import strikeout
        >>> question = Question.of(strikeout.load("taobao-counterfeit").model, "strike@2015-01-05")
        >>> question.kind.name
        'strike'
        """
        if isinstance(asked, str):
            name, _, at = asked.partition("@")
            return cls(kind_named(ruleset, name.strip()), instants(ruleset, at) if at.strip() else None)
        if not isinstance(asked, Mapping):
            raise RunError(f"expected a fact, or a text such as `KIND@AT`, got `{shorten(str(asked), 40)}`")
        if "kind" not in asked:
            raise RunError("say of which `kind` the fact is")
        kind = kind_named(ruleset, str(asked["kind"]))
        time, subject = asked.get("at"), asked.get(ruleset.subject)
        at_span = None if time is None else instants(ruleset, str(time).replace(" ", "T"))
        fields = []
        for name, value in asked.items():
            if name in ("kind", "at", "rule", "known_at", "seq", ruleset.subject):
                continue
            if name not in kind.slots:
                hint = nearest(name, kind.slots)
                raise RunError(f"`{kind.name}` has no field `{shorten(name, 40)}`" + (f"; {hint}" if hint else ""))
            fields.append((name, value))
        return cls(kind, at_span, tuple(fields), None if subject is None else str(subject))

    def matches(self, ruleset: Ruleset, entry: Entry) -> bool:
        """Whether a fact is meant."""
        fact = entry.fact
        if fact.kind is not self.kind or not (self.at is None or self.at[0] <= fact.at < self.at[1]):
            return False
        return not self.fields or self.names(ruleset, fact)

    def names(self, ruleset: Ruleset, fact: Fact) -> bool:
        """Whether a fact, of whatever kind, has the fields that are given, and any are."""
        found = record(ruleset, fact) if self.fields else {}
        return bool(self.fields) and all(str(found.get(name)) == str(value) for name, value in self.fields)

    def among(self, ruleset: Ruleset, run: SubjectRun) -> list[Entry]:
        """The facts of a run that are meant: the derived ones, or where there is none the given ones."""
        found = [entry for entry in run.entries if self.matches(ruleset, entry)]
        exact = [entry for entry in found if self.at is not None and entry.fact.at == self.at[0]]
        found = exact or found
        return [entry for entry in found if not entry.given] or found

    def describe(self, ruleset: Ruleset) -> str:
        """The question in short."""
        at = (
            ""
            if self.at is None
            else f" at {ruleset.zone.format(self.at[0])[: 10 if self.at[1] - self.at[0] > 1 else 32]}"
        )
        fields = ", ".join(f"{name} `{shorten(str(value), 40)}`" for name, value in self.fields)
        return f"`{self.kind.name}`{at}{f' with {fields}' if fields else ''}"


class NotThere(RunError):
    """A fact that is asked about and does not stand: what became of it.

    Attributes
    ----------
    ask : bool
        Whether to ask why it was not derived; else there is no more to say.
    """

    def __init__(self, message: str, ask: bool) -> None:
        super().__init__(message)
        self.ask = ask


def not_there(ruleset: Ruleset, run: SubjectRun, question: Question) -> NotThere:
    """Why a fact that is asked about cannot be explained: it was voided, lies ahead, or was not derived."""
    what = f"{question.describe(ruleset)} of {ruleset.subject} `{shorten(run.subject, 60)}`"
    zone = ruleset.zone

    def meant(fact: Fact) -> bool:
        return question.matches(ruleset, Entry(fact, 0, 0, True, False, []))

    for void in run.voided:
        if meant(void.fact):
            by = f"`{void.by.kind.name}` of {zone.format(void.by.at)} (rule `{void.rule.name}`)"
            return NotThere(f"{what} was given, and no longer holds: voided by the {by}", False)
    for fact in run.later:
        if meant(fact):
            return NotThere(f"{what} was given, but is not known before {zone.format(fact.from_then_on)}", False)
    for pending in run.pending:
        if meant(pending.fact):
            return NotThere(f"{what} is scheduled for {zone.format(pending.fact.at)}, after the run's instant", True)
    if question.kind not in ruleset.derivable:
        return NotThere(f"{what} was not given", False)
    return NotThere(f"{what} was not derived", True)


def sanctions(run: SubjectRun) -> list[Entry]:
    """The facts of a run that have an effect on the status; where there is none, the conclusions of the last step."""
    found = [entry for entry in run.entries if entry.fact.kind.effect]
    if found or not run.conclusions:
        return found
    return [entry for entry in run.conclusions if entry.step == run.conclusions[-1].step]


def nothing_concluded(ruleset: Ruleset, run: SubjectRun) -> RunError:
    """What to say where there is nothing to explain."""
    return RunError(f"nothing was concluded on the {ruleset.subject} `{shorten(run.subject, 60)}`; ask why not")
