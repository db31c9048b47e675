"""Counted in SQL: ``counts``, and ``uncovered_counts`` beyond the seats of people.

``void_filter`` leaves voids out of both, and ``arrays`` passes long lists into their queries.
"""
