"""Measures every budget of the design in one run: `python -m benchmarks`."""
