"""The Python interface: load a ruleset, run it over facts, ask the outcome. This names what is public."""

from __future__ import annotations

from .interface.conclusions import Change, Conclusion, Conclusions
from .interface.loaded import ENGINES, default_engine
from .interface.ruleset import Outcome, Ruleset, load, load_text
from .reach.files import read

__all__ = [
    "ENGINES",
    "Change",
    "Conclusion",
    "Conclusions",
    "Outcome",
    "Ruleset",
    "default_engine",
    "load",
    "load_text",
    "read",
]
