"""Evidence (RULES 1), in reading order.

``span_limit`` says how long a time a heartbeat may speak of, ``merge`` folds heartbeats into session days,
``sessions`` takes the days of a session together, and ``lengths`` says how long they were open and active. What
``merge`` does to one heartbeat ``pipeline/codec/columns`` does to many.
"""
