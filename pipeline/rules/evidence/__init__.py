"""Evidence (RULES 1), in reading order.

``span_limit`` says how long a time a heartbeat may speak of, ``merge`` folds heartbeats into session days,
``columns`` does the same to many at once, and ``sessions`` takes the days of a session together.
"""
