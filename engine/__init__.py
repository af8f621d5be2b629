"""Sanction policies as readable rules: from complaints to strikes, restrictions and closures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .api import Change, Conclusion, Conclusions, Outcome, Ruleset, load, load_text, read
from .ground.problems import FactError, Problem, RulesetError, RunError, StrikeoutError
from .interface.bundles import bundle_of, load_bundle

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any


def load_ipython_extension(ipython: Any) -> None:
    """What `%load_ext strikeout` calls: `%%ruleset` and `%%cases` check and run what stands in a cell."""
    from .notebook.extension import Extension

    ipython.strikeout_extension = Extension(ipython)
    ipython.strikeout_extension.load()


def unload_ipython_extension(ipython: Any) -> None:
    """What `%unload_ext strikeout` calls."""
    ipython.strikeout_extension.unload()
    del ipython.strikeout_extension


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
    "bundle_of",
    "load",
    "load_bundle",
    "load_text",
    "read",
]
