"""The graph view of the facts: which belong together, and what came before what."""
