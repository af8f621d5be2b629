"""The gate: from YAML text to a checked ruleset, and to checked case files."""
