"""Which facts a ruleset takes that another would refuse."""

from __future__ import annotations

from ..facts import Field, Kind
from ..ground.problems import listing
from ..model import Ruleset


def differences(one: Ruleset, other: Ruleset) -> list[str]:
    """Why the other ruleset would refuse facts that the one takes; nothing where it takes them all.

    Parameters
    ----------
    one, other : Ruleset
        The rulesets.

    Examples
    --------
    >>> from strikeout.gate.check import check
    >>> from strikeout.reach.library import Files, locate
    >>> one, other = (check(locate(name), Files()) for name in ("taobao-counterfeit", "alibaba-procedure"))
    >>> differences(one, other)  # They share a vocabulary.
    []
    """
    found = []
    if one.subject != other.subject:
        found.append(f"the subject is `{other.subject}`, not `{one.subject}`")
    if one.zone.name != other.zone.name:
        found.append(f"the time zone is `{other.zone.name}`, not `{one.zone.name}`")
    for kind in one.kinds:
        if not kind.given:
            continue
        theirs = other.kinds_by_name.get(kind.name)
        if theirs is None or not theirs.given:
            found.append(f"the kind `{kind.name}` is not taken")
        else:
            found.extend(_fields(kind, theirs))
    return found


def _fields(kind: Kind, theirs: Kind) -> list[str]:
    found = []
    mine = {field.name: field for field in kind.fields}
    others = {field.name: field for field in theirs.fields}
    for name, field in mine.items():
        other = others.get(name)
        if other is None:
            found.append(f"the kind `{kind.name}` has no field `{name}`")
        else:
            found.extend(_field(kind, field, other))
    for name, field in others.items():
        if name not in mine and field.required:
            found.append(f"the kind `{kind.name}` needs a field `{name}`")
    return found


def _field(kind: Kind, field: Field, other: Field) -> list[str]:
    place = f"the field `{field.name}` of `{kind.name}`"
    if bool(field.type.members) != bool(other.type.members) or (
        not field.type.members and field.type.name != other.type.name
    ):
        return [f"{place} is of type {other.type}, not {field.type}"]
    gone = [member for member in field.type.members if member not in other.type.members]
    if gone:
        return [f"{place} has no {listing(gone)}"]
    if other.required and not field.required and field.default is None:
        return [f"{place} is required"]
    return []
