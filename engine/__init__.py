"""Sanction policies as readable rules: from complaints to strikes, restrictions and closures."""

from __future__ import annotations

from .api import Change, Conclusion, Conclusions, Outcome, Ruleset, load, load_text, read

# The gate has a module `read`. It is imported first, so that importing it later does not hide the function.
from .gate import read as _gate  # noqa: F401
from .ground.problems import FactError, Problem, RulesetError, RunError, StrikeoutError

__version__ = "0.1.0"

__all__ = [
    "Change",
    "Conclusion",
    "Conclusions",
    "FactError",
    "Outcome",
    "Problem",
    "Ruleset",
    "RulesetError",
    "RunError",
    "StrikeoutError",
    "__version__",
    "load",
    "load_text",
    "read",
]
