"""Backtests: what a policy would have done to very many subjects."""
