"""The messages of each topic: bytes to values and back (``schemas/events/``).

In reading order: ``heartbeats`` judges evidence, with ``accept`` as its fast path and ``known`` for clients whose bytes
were seen before; ``dead_letter_messages`` and ``letter_ids`` are for invalid evidence; ``usage_frames`` for session
days; ``command_messages`` and ``order_fields`` for orders; ``ledger_messages`` for postings; ``denial_messages`` for
refused launches. ``message_keys`` makes the keys of all.
"""
