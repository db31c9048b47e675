"""Helpers of the tests, in a folder per thing that they drive or replace.

``evidence`` writes input (heartbeats, orders, contracts, random fleets), ``auditors`` recompute results independently,
``store``, ``clickhouse`` and ``broker`` provide the services that the pipeline needs, ``agents`` drives steps and
checkpoints, ``process`` runs commands and scenarios in processes of their own.
"""
