"""Provides stores: empty, with a small fleet, or with the history of an account."""
