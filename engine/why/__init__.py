"""Why, and why not: proofs made by replaying rules, and their words."""
