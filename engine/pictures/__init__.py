"""What the drawings of runs and rulesets show."""
