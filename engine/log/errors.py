"""What can go wrong with a log, each with a message for a person."""

from __future__ import annotations

from collections.abc import Sequence

from ..ground.problems import StrikeoutError, nearest, quoted


class LogError(StrikeoutError):
    """The base of every error of a log; nothing of what was to be appended is in it."""


class UnknownLog(LogError):
    """There is no log of that name in the database."""

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        hint = nearest(name, known) or ("" if known else "the database holds none")
        super().__init__(f"unknown log {quoted(name)}" + (f"; {hint}" if hint else ""))


class LogExists(LogError):
    """There is a log of that name already."""


class UnknownBundle(LogError):
    """There is no ruleset of that hash in the database."""


class BadRecord(LogError):
    """A fact or an activation that cannot be in a log.

    Attributes
    ----------
    index : int
        The place in the batch, from 0.
    """

    def __init__(self, message: str, index: int = 0) -> None:
        self.index = index
        super().__init__(message)


class KeyConflict(LogError):
    """A key that stands for other content already; the whole batch is refused.

    Attributes
    ----------
    index : int
        The place in the batch, from 0.
    key : str
        The key.
    position : int or None
        Where the log has it; None where the batch itself has the key twice.
    """

    def __init__(self, index: int, key: str, position: int | None) -> None:
        self.index, self.key, self.position = index, key, position
        there = "earlier in the batch" if position is None else f"at position {position}"
        super().__init__(f"the key {quoted(key)} stands for another fact, {there}; a key is for one content only")


class ActivationRefused(LogError):
    """A ruleset that would not take facts that another ruleset of the log takes.

    Attributes
    ----------
    differences : tuple of str
        Each a sentence.
    """

    def __init__(self, message: str, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__("; ".join([message, *self.differences]))


class NoRuleset(LogError):
    """No ruleset is in force at an instant, as known at another."""


class ClockError(LogError):
    """The machine's clock is too far behind the log, or shows no instant that can be."""


class LogFull(LogError):
    """There is no room left where the database lies; nothing of the batch is in the log."""


class ReadOnly(LogError):
    """The database cannot be written from here, only read; nothing of the batch is in the log."""


class DatabaseUnavailable(LogError):
    """The database cannot be reached, or is busy for too long.

    Whether the batch is in the log may be unknown. To send it again with the same keys is safe: what is there is
    acknowledged and not appended again.
    """


class UnknownDatabase(LogError):
    """There is no database at that address, or it is none of this project, or of a newer version of it."""


class ChainBroken(LogError):
    """A record is not what was appended, or one is missing or out of its place.

    Attributes
    ----------
    position : int
        The first position that is wrong.
    what : str
        What is wrong with it.
    """

    def __init__(self, position: int, what: str) -> None:
        self.position, self.what = position, what
        super().__init__(f"position {position}: {what}")
