"""Disputes of a term-licence line (RULES 7), in reading order.

``flags`` is what speaks for a session, ``packet`` what a vendor's ticket needs, ``packet_assembly`` how it is put
together, ``pseudonyms`` the same without names. ``dispute_log`` makes records of disputes from the log of commands.
"""
