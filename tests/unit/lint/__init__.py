"""Tests of the lints in ``tests/lint``."""
