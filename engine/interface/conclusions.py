"""Conclusions: derived facts that know their reasons, in order, and the lines of the journal."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from ..facts import TIME
from ..machine.runs import Entry
from ..speech import outcome
from ..speech.outcome import Record, record, rule_of, to_json

if TYPE_CHECKING:
    from ..model import Ruleset as Model


MOST_SHOWN = 50
"""How many conclusions notebooks and prompts show."""


class Conclusion(Mapping[str, "str | int | bool"]):
    """A derived fact: a mapping as the JSON output has it, which also knows its reasons.

    Attributes
    ----------
    entry : strikeout.machine.timeline.Entry
        The fact as it stands in the run.
    """

    __slots__ = ("_model", "_record", "entry")

    def __init__(self, model: Model, entry: Entry) -> None:
        self._model = model
        self.entry = entry
        self._record: Record | None = None

    def _repr_html_(self) -> str:
        from ..speech.html import table

        return table(list(self), [self.as_dict()], 1)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def as_dict(self) -> Record:
        """The record: subject, kind, at, the fields that are not missing, rule."""
        if self._record is None:
            self._record = record(self._model, self.entry.fact, rule_of(self.entry))
        return dict(self._record)

    def __getitem__(self, key: str) -> str | int | bool:
        return (self._record or self.as_dict())[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __hash__(self) -> int:
        return hash(outcome.identity(self.entry))

    def __repr__(self) -> str:
        return to_json(self.as_dict())

    @property
    def kind(self) -> str:
        """The kind."""
        return self.entry.fact.kind.name

    @property
    def subject(self) -> str:
        """The subject."""
        return self.entry.fact.subject

    @property
    def at(self) -> datetime.datetime:
        """The instant, in the ruleset's time zone."""
        return datetime.datetime.fromisoformat(self._model.zone.format(self.entry.fact.at))

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that derived it, in rule order."""
        return tuple(reason.rule.name for reason in self.entry.reasons)


class Conclusions(Sequence[Conclusion]):
    """Derived facts in order: by subject, step, and the order of semantics 5."""

    def __init__(self, model: Model, entries: Sequence[Entry]) -> None:
        self._model = model
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> Conclusion: ...
    @overload
    def __getitem__(self, place: slice) -> Conclusions: ...
    def __getitem__(self, place: int | slice) -> Conclusion | Conclusions:
        if isinstance(place, slice):
            return Conclusions(self._model, self._entries[place])
        return Conclusion(self._model, self._entries[place])

    def __repr__(self) -> str:
        return f"<{len(self)} conclusions of {self._model.name}>"

    def html(self, language: str = "en", most: int = MOST_SHOWN) -> str:
        """The first `most` of the conclusions as a table of HTML that needs nothing else, in `zh` or `en`."""
        from ..reach.tables import columns
        from ..speech.html import moment, table

        found = columns(self._model)
        times = {name for name, type_ in found if type_ == TIME}
        rows = [
            {name: moment(value) if name in times else value for name, value in conclusion.items()}
            for conclusion in self[:most]
        ]
        return table([name for name, _ in found], rows, len(self), language=language)

    def text(self, language: str = "en", most: int = MOST_SHOWN) -> str:
        """The first `most` of the conclusions as lines, as the JSON output has them."""
        left = len(self) - most
        more = [] if left <= 0 else [f"… 另有 {left:,} 行" if language == "zh" else f"… and {left:,} more"]
        return "\n".join([repr(self), *(repr(conclusion) for conclusion in self[:most]), *more])

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())

    def to_arrow(self) -> Any:
        """The conclusions as a pyarrow table, with the columns of the contract; needs the extra `batch`."""
        from ..reach.tables import to_arrow

        return to_arrow(self._model, self._entries)

    def to_pandas(self) -> Any:
        """The conclusions as a pandas data frame; needs the extra `frames`."""
        from ..reach.tables import to_pandas

        return to_pandas(self._model, self._entries)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the journal: when it became known, `+` or `-`, and the conclusion (semantics 8)."""

    at: str
    sign: str
    conclusion: Conclusion
