"""The benchmark: `python -m tests.bench`. README.md in this folder says what it measures and why."""
