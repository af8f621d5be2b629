"""The engine `compiled`: rulesets as generated code, run in plain Python or by numba."""

from __future__ import annotations

from .ongoing import OngoingRun
from .program import CompiledProgram

__all__ = ["CompiledProgram", "OngoingRun"]
