"""Evidence (RULES 1), in reading order.

``span_limit`` says how long a time a heartbeat may speak of, ``merge`` folds heartbeats into session days,
``columns`` does the same to many at once, ``sessions`` takes the days of a session together, and ``lengths`` says how
long they were open and active.
"""
