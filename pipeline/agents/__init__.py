"""What consumes the log, and when it is acknowledged.

``consuming`` is the protocol: an agent is a value, and a consumer runs it. ``faust/`` is the only consumer, and the
only importer of Faust. The agents: ``meter`` (with ``replayed_letters`` and ``quarantine``), ``sink``, ``tokens/``,
``live/``. What they share: ``store_calls``, ``applied_contracts``. ``completeness_mark`` says how far everything is
stored. ``worker_process`` hosts agents in production, ``health/`` watches them, and ``last_resort`` ends a process that
hangs instead of ending.
"""
