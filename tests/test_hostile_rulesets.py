"""Rulesets made to break whoever reads them load, or are refused with a reason, within two seconds and 500 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import hostile
import pytest

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="limits need a process of its own")

SECONDS, MEGABYTES = 2.0, 500
LONGER = {"expressions_up_to_the_limit": 3, "expressions_of_arguments": 4}
"""Files that are full of expressions up to their limits take time by their length, a second for 30,000 characters."""

LOADS = {
    *(
        "digits_in_a_version",
        "calendar_of_400_years",
        "chain_of_990_rules",
        "chain_that_reads_everything",
        "deep_choice",
        "deep_coalesce",
    ),
    *("deep_comparison", "deep_comparison_on_the_right", "deep_in", "deep_min", "expressions_of_arguments"),
    *("expressions_up_to_the_limit", "extends_90_deep", "includes_in_diamonds", "ladder_of_1000_steps"),
    *("lets_that_double", "lets_that_double_by_choice", "lets_that_double_by_coalesce"),
    *("lets_that_double_by_comparison", "long_text_in_an_expression", "many_alternatives", "many_arguments"),
    *("escapes", "many_comments", "many_lines_of_text", "pattern_of_blanks", "pattern_of_brackets"),
    *("pattern_of_octal", "pattern_of_quotes", "pattern_of_sixty"),
    *("many_members", "rules_1000", "rules_that_schedule", "triggers_of_many_kinds"),
}


@cache
def outcomes() -> dict[str, dict[str, object]]:
    """What comes of each case."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, hostile.__file__, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return {row["case"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", hostile.CASES)
def test_it_loads_or_is_refused_within_limits(name: str) -> None:
    found = outcomes()[name]
    assert found["outcome"] == ("loads" if name in LOADS else "refused")
    slowness = float(str(found["slowness"]))
    assert float(str(found["seconds"])) < SECONDS * slowness * LONGER.get(name, 1)
    assert float(str(found["megabytes"])) < MEGABYTES


def test_every_case_is_known() -> None:
    assert hostile.CASES.keys() >= LOADS
    assert Path(hostile.__file__).exists()
