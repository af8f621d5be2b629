"""Documents: rulesets for people to read, as Markdown and as a page."""
