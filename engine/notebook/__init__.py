"""Notebooks: cells that hold a ruleset or its cases, checked as they are run; problems shown under their lines."""
