"""Columns: the hot path from the members of frames to rows of session days, in reading order.

``heartbeat_columns`` judges heartbeats, with ``distinct`` (accounts and kinds, numbered) and ``column_checks`` (names
and times); ``usage_rows`` makes session days of them and folds these; ``usage_messages`` writes and reads them on
``usage``; ``seat_rows`` is what live counts keep of them.
"""
