"""The benchmark: `python -m tests.bench`. What it does and why: README.md beside this file."""
