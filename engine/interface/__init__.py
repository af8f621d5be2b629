"""The interface: the ruleset as Python programs hold it, its outcome, and what one can ask of both."""
