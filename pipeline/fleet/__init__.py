"""Sample fleets for demo, simulate, benchmarks and tests: the same plan gives the same bytes on every machine.

``plan`` is what a fleet is asked to be, ``office_calendar`` when its office works, ``working_days`` who works with what
on which day. ``clients`` turns that into heartbeats, ``faults`` into what arrives of them. ``sample_story`` is the
fleet of the demo, ``sample_tokens`` its use of tokens.
"""
