"""Benchmarks: `python -m benchmarks` runs strikeout and its peers side by side on the same facts."""
