"""Licence policies as data with effective dates (RULES 2). Code never branches on the name of a policy.

In reading order: ``timeline`` finds the row in force at an instant; ``metering_policies`` and ``token_policies`` say
what a row holds, and how a contract's own policy extends a built-in one; ``durations`` reads ``10m``; ``catalogue``
reads the built-in tables from ``metering.yaml`` and ``tokens.yaml``, where each has its source and dates.
"""
