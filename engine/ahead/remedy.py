"""What answers about remedies and next sanctions hold: facts to add, what they do, and how they were found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..facts import Fact
from ..machine.timeline import Entry
from ..model import Ruleset
from ..speech.outcome import Status


@dataclass(frozen=True, slots=True)
class Step:
    """A fact of a remedy.

    Attributes
    ----------
    fact : Fact
        The fact to add; of those that do the same, the cheapest.
    instead : tuple of Fact
        Others that would do the same, such as the reversal of what could be withdrawn.
    voids : tuple of Fact
        The given facts that it voids.
    answers : Fact or None
        The pending fact before which it must come.
    cost : float
        What it costs.
    """

    fact: Fact
    instead: tuple[Fact, ...]
    voids: tuple[Fact, ...]
    answers: Fact | None
    cost: float


@dataclass(frozen=True, slots=True)
class Remedy:
    """Facts that together reach the goal, while no fewer of them do; and the status then."""

    steps: tuple[Step, ...]
    cost: float
    status: Status

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts to add."""
        return tuple(step.fact for step in self.steps)


@dataclass(frozen=True, slots=True)
class RemediesRecord:
    """The remedies of a subject.

    Attributes
    ----------
    ruleset : strikeout.model.Ruleset
        The ruleset.
    subject : str
        The subject.
    at, by, asked
        The instant at which the facts would be added, and the instant up to which the goal must be kept: the last for
        which something is pending, unless another was `asked` for.
    status, ahead : Status
        The status at `at` and at `by`, without any remedy.
    wanted : str
        The status that is wanted, or nothing.
    undone : tuple of Fact
        The facts that are to be undone.
    reached : bool
        Whether nothing need be done.
    found : tuple of Remedy
        The remedies, by cost, number of facts, and text.
    acts : int
        How many facts could be added.
    runs : int
        How many sets were run.
    most, exact_to : int
        How many facts a remedy has at most, and up to which number of facts every remedy is
        among those found.
    """

    ruleset: Ruleset
    subject: str
    at: int
    by: int
    asked: bool
    status: Status
    ahead: Status
    wanted: str
    undone: tuple[Fact, ...]
    reached: bool
    found: tuple[Remedy, ...]
    acts: int
    runs: int
    most: int
    exact_to: int

    def __iter__(self) -> Iterator[Remedy]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, place: int) -> Remedy:
        return self.found[place]


@dataclass(frozen=True, slots=True)
class NextSanction:
    """Facts that would bring a sanction.

    Attributes
    ----------
    facts : tuple of Fact
        The facts, with ids of their own where theirs does not matter.
    like : Fact
        The fact that they are like.
    anyone : bool
        Whether also the other ids are new.
    brings : tuple of Entry
        The sanctions, the most severe first.
    whoever : bool
        Whether all facts of that sort come to the same, also with the ids that they have.
    """

    facts: tuple[Fact, ...]
    like: Fact
    anyone: bool
    brings: tuple[Entry, ...]
    whoever: bool = False


@dataclass(frozen=True, slots=True)
class AheadRecord:
    """What would bring the next sanction of a subject.

    Attributes
    ----------
    ruleset, subject, at
        The ruleset, the subject, and the instant from which on facts are added.
    over : Entry or None
        The fact of the terminal kind, after which nothing follows.
    found : tuple of NextSanction
        What would bring one, the fewest and earliest first.
    most : int
        How many more facts were looked at.
    likes : int
        How many sorts of facts were copied.
    pending : tuple of Entry
        The sanctions that what is pending brings if nothing is done.
    runs : int
        How many sets of facts were run.
    complete : bool
        Whether all was looked at; else the search was cut, so that it takes no longer for a subject of many facts.
    """

    ruleset: Ruleset
    subject: str
    at: int
    over: Entry | None
    found: tuple[NextSanction, ...]
    most: int
    likes: int
    pending: tuple[Entry, ...] = ()
    runs: int = 0
    complete: bool = True

    def __iter__(self) -> Iterator[NextSanction]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, place: int) -> NextSanction:
        return self.found[place]
