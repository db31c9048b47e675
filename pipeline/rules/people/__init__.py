"""Licences tied to people (RULES 5), in the order of the waterfall.

``assignments`` carries out orders on seats given by hand, with ``practitioner_lock``; ``checkouts`` those on licences
taken offline; ``holders`` runs the contract's lists and the log of commands through both. ``coverage`` says whose use
their seats cover, where ``latest_assignments_lose``; ``named_seats`` who takes a seat by use. ``checkout_counts`` says
where a checkout counts, and ``waterfall`` what is left to the pool.
"""
