"""Sanction policies as readable rules: from complaints to strikes, restrictions and closures."""
