"""Correctness in several pytest processes at once, by pytest-xdist where that is installed."""
