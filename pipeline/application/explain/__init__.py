"""From a figure to its sessions: ``explained_slot``, ``explained_line``, ``contested_line`` (the packet of a dispute)
and ``account_usage`` (who used what, when, and for how long).
"""
