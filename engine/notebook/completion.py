"""Completion inside `%%ruleset` and `%%cases` cells: the words of the language, of the vocabulary, and of the cell."""

from __future__ import annotations

import re
from typing import Any

from ..functions import AGGREGATES, FUNCTIONS
from ..gate.case_files import CASE_FILE_KEYS, CASE_KEYS, EXPECT_KEYS
from ..gate.parse import KIND_KEYS, PARAMETER_KEYS, RULE_KEYS, RULESET_KEYS
from ..reach.library import shipped, shipped_names

_WORD = re.compile(r"[^\W\d][\w-]*")
_NAMED = re.compile(r"^(vocabulary|extends|ruleset): *([\w-]+)", re.MULTILINE)


def words(cell: str) -> list[str]:
    r"""The words that may stand in a cell, sorted.

    Parameters
    ----------
    cell : str
        The whole cell, its magic line included.

    Examples
    --------
    >>> found = words("%%ruleset\nvocabulary: ip-complaints\n")
    >>> "upheld" in found, "parameters" in found, "count" in found, "ip-complaints" in found
    (True, True, True, True)
    """
    found = {row.name for row in FUNCTIONS} | {row.name for row in AGGREGATES}
    if cell.startswith("%%cases"):
        found |= {*CASE_FILE_KEYS, *CASE_KEYS, *EXPECT_KEYS}
    else:
        found |= {*RULESET_KEYS, *RULE_KEYS, *PARAMETER_KEYS, *KIND_KEYS, *shipped_names("vocabulary")}
    found |= set(shipped_names())
    for what, name in _NAMED.findall(cell):
        source = shipped("vocabulary" if what == "vocabulary" else "ruleset", name)
        found |= set(_WORD.findall(source.text)) if source is not None else set()
    found |= set(_WORD.findall(cell.partition("\n")[2]))
    return sorted(word for word in found if word.isascii() or not cell.isascii())


class Completion:
    """Completes in the cells of one shell."""

    def load(self, shell: Any) -> None:
        """Register with the shell, where its IPython is of 8.6 or later."""
        if hasattr(getattr(shell, "Completer", None), "custom_matchers"):
            shell.Completer.custom_matchers.append(matcher)

    def unload(self, shell: Any) -> None:
        """Take it back."""
        matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
        if matcher in matchers:
            matchers.remove(matcher)


def matcher(context: Any) -> dict[str, Any]:
    """What IPython asks: the words that begin as what stands before the cursor, and nothing else in such a cell."""
    if not context.full_text.startswith(("%%ruleset", "%%cases")) or context.cursor_line == 0:
        return {"completions": []}
    from IPython.core.completer import SimpleCompletion

    typed = re.search(r"[\w-]*$", context.text_until_cursor)
    start = typed[0] if typed else ""
    lead = start[: len(start) - len(context.token)] if start.endswith(context.token) else ""
    offered = [word for word in words(context.full_text) if start and word.startswith(start) and word != start]
    return {"completions": [SimpleCompletion(word[len(lead) :], type="keyword") for word in offered], "suppress": True}


matcher.matcher_api_version = 2  # type: ignore[attr-defined]
matcher.matcher_identifier = "strikeout"  # type: ignore[attr-defined]
