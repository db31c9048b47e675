"""A quarter: ``seat_steps`` and ``quarter_counts`` count it, ``statement_life`` gives its statement, open or closed,
``quarter_grounds`` what its lines follow from; ``silent_report`` names machines whose evidence may be missing,
``account_audit`` computes all of it again.
"""
