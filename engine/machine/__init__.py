"""The machine: from facts to a run, by one engine or another."""
