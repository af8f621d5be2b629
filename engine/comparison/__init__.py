"""Two rulesets compared in the words of policy."""
