"""Statements of a quarter (RULES 7), in reading order.

``lines`` puts the lines together, ``recount`` counts them from sessions by the plain rules. ``completeness`` says up to
when evidence is stored, ``silent_machines`` whose evidence may be missing. ``closes`` freezes a statement,
``adjustments`` carries what changes later to the open statement, with the ``credits`` of disputes.
"""
