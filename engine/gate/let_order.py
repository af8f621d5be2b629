"""The order in which the `let` values of a rule are resolved: each after those that it uses."""

from __future__ import annotations

from collections.abc import Iterable

from .draft import DraftLet


def let_order(drafts: Iterable[DraftLet]) -> tuple[list[str], list[str]]:
    """Names of lets so that each comes after those that it uses; and, where some use each other, their circle.

    Parameters
    ----------
    drafts : iterable of DraftLet
        The lets of a rule.

    Returns
    -------
    tuple of list of str and list of str
        The names in order, without those that a circle leaves without one; and the names of a circle, each using the
        next, or nothing.
    """
    every = {let.name: let for let in drafts}
    uses = {name: _names(let) & every.keys() for name, let in every.items()}
    order: list[str] = []
    rest = dict.fromkeys(every)
    while rest:
        ready = [name for name in rest if not any(used in rest for used in uses[name])]
        if not ready:
            return order, _circle(list(rest), uses)
        order.extend(ready)
        for name in ready:
            del rest[name]
    return order, []


def _circle(rest: list[str], uses: dict[str, set[str]]) -> list[str]:
    path = [rest[0]]
    while path.count(path[-1]) < 2:
        path.append(next(name for name in rest if name in uses[path[-1]]))
    return path[path.index(path[-1]) : -1]


def _names(let: DraftLet) -> set[str]:
    return {
        str(token)
        for condition, value in let.branches
        for written in (condition, value)
        if written is not None
        for tree in written.tree.iter_subtrees()
        if tree.data == "name"
        for token in tree.children
    }
