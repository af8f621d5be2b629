"""Rulesets as bundles of their texts: what a log stores, and gives back whatever becomes of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ground.problems import Problem, RulesetError, Span
from .ruleset import Ruleset

if TYPE_CHECKING:
    from ..log.bundle import Bundle


def bundle_of(ruleset: Ruleset) -> Bundle:
    """The texts that a ruleset is made of: its own and all that it extends, includes and takes words from.

    Parameters
    ----------
    ruleset : Ruleset
        A loaded ruleset; overridden parameters go into the bundle.

    Returns
    -------
    Bundle
        What `strikeout.log` stores; its `hash` names the ruleset.

    Raises
    ------
    RulesetError
        Where its files have changed since it was loaded.

    Examples
    --------
    >>> import strikeout
    >>> ruleset = strikeout.load("taobao-counterfeit")
    >>> bundle = strikeout.bundle_of(ruleset)
    >>> strikeout.load_bundle(bundle).name
    'taobao-counterfeit'
    """
    from ..gate.check import check
    from ..log.bundle import Remembered

    remembered = Remembered(ruleset._library)
    model = check(ruleset._source, remembered, ruleset._parameters)
    if model.digest != ruleset.model.digest:
        message = "the files that the ruleset extends, includes or takes words from have changed since it was loaded"
        raise RulesetError([Problem("changed", message, Span(ruleset._source, 0, 0), "load it anew")])
    return remembered.bundle(ruleset._source, ruleset._parameters)


def load_bundle(bundle: Bundle) -> Ruleset:
    """The ruleset that a bundle is of: made of the bundle's texts alone, it decides what the bundled one decided.

    Parameters
    ----------
    bundle : Bundle
        As `bundle_of` and `Database.bundle` give it.

    Raises
    ------
    RulesetError
        Where it cannot be used.
    """
    from ..gate.check import check
    from ..log.bundle import Bundled

    library, parameters = Bundled(bundle), dict(bundle.parameters)
    return Ruleset(check(bundle.source, library, parameters), bundle.source, library, parameters)
