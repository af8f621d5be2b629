"""Constants as the language writes them."""

from __future__ import annotations

from ..facts import BOOLEAN, DURATION, TIME, Type
from ..ground.values import DAY, HOUR, MINUTE, SECOND
from ..model import Constant, Ruleset


def literal(ruleset: Ruleset, type_: Type, value: Constant | None) -> str:
    """A constant as the language writes it.

    Parameters
    ----------
    ruleset : Ruleset
        For its time zone.
    type_ : Type
        The constant's type.
    value : str, int, bool, Period or None
        The constant; durations and instants in microseconds. None is missing, and is written as a dash.

    Examples
    --------
    >>> import strikeout
    >>> literal(strikeout.load("taobao-counterfeit").model, DURATION, 72 * HOUR)
    '3d'
    """
    if value is None:
        return "–"
    if type_ == BOOLEAN:
        return "true" if value else "false"
    if type_ == DURATION and isinstance(value, int):
        units = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
        unit, length = next(((unit, length) for unit, length in units if value % length == 0), units[-1])
        return f"{value // length}{unit}"
    if type_ == TIME and isinstance(value, int):
        return ruleset.zone.format(value)
    return str(value)
