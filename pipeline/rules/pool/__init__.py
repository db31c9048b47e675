"""Pooled licences (RULES 2 to 4), in reading order.

``reading`` applies a contract to reported codes and countries, by ``replaced_codes`` and ``entitled`` (seats in
force). ``min_use`` and ``opening_slot`` say which use is left out, ``counting`` counts the rest by slot.
``term_licenses`` turns counts into a statement's line, ``percentage_price`` gives its unit price.
"""
