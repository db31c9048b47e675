"""Any number of a statement, down to the sessions behind it (RULES 7), in reading order.

``uncounted`` says why a session does not count. ``slot_explanation`` explains the count of a slot, ``line_explanation``
a pooled line by its over-used days, ``seat_explanation`` a line of seats by its people (``seat_use``: where their use
counts), ``flex_explanation`` a line of token charges.
"""
