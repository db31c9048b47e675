"""Frozen, slotted types of the domain. Standard library only; no rule is decided here.

In reading order: ``instants`` (time), ``money``, ``text`` (names and how they are compared), ``evidence`` (heartbeats
and session days), ``contracts``, ``orders``, ``ledger_entries``, ``statements``, ``addresses`` (of stores and brokers,
their secrets kept out of messages), ``errors``.
"""
