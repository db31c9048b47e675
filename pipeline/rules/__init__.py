"""The contract's rules, in the order of RULES. Everything here is pure: values in, values out, and no clock.

``evidence``   what heartbeats say, merged into session days and sessions (RULES 1)
``pool``       pooled use: what counts, the peak, over-use and term licences (RULES 2 to 4)
``people``     seats and checkouts of people, and the waterfall that ends in the pool (RULES 5)
``tokens``     token licences: activity, charge windows, packs, the ledger (RULES 6)
``statement``  a quarter's lines, closes, adjustments, and up to when evidence is complete (RULES 7)
``explain``    any number of a statement down to the sessions behind it (RULES 7)
``dispute``    the packet for a vendor's ticket, and disputes as records (RULES 7)
``orders``     the log of commands: the first record of an id, voids, and what became of each (RULES 5 and 7)
``live``       seats in use now, and sessions that are about to count (RULES 3 and 9)
"""
