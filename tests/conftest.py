"""How Hypothesis searches: the same cases each time, so that a red run is red again.

HYPOTHESIS_PROFILE chooses how many: `quick` is for the desk, `ci` for every submission, `long` for a search
at night, where chance is let in and the blob that a failure prints finds its case again.
"""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

# A slow or busy machine makes no test fail, an example that runs away does.
settings.register_profile(
    "quick",
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=timedelta(seconds=10),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("quick"), max_examples=150)
settings.register_profile("long", settings.get_profile("quick"), max_examples=5_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
