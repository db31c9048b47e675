"""A worker's health: ``metrics``, ``partition_health`` (pure, served over HTTP), ``monitor`` and ``json_logs``."""
