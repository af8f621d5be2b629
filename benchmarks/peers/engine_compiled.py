"""The engine `compiled`, on facts that are Python objects."""

from __future__ import annotations

import strikeout
from strikeout.facts import Fact

from .engines import load, run, tally

__all__ = ["decide", "load", "tally"]


def decide(loaded: tuple[strikeout.Ruleset, list[Fact]]) -> strikeout.Outcome:
    return run("compiled", loaded)
