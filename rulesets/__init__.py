"""The shipped rulesets, their vocabularies, calendars and case files, as YAML."""
