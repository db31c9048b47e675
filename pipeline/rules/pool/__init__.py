"""Pooled licences (RULES 2 to 4), in reading order.

``reading`` applies a contract to reported codes and countries, by ``replaced_codes`` and ``entitled`` (seats in
force). ``min_use`` and ``opening_slot`` say which use is left out, ``counting`` counts the rest by slot.
``term_licenses`` says what is due beyond what is entitled, ``percentage_price`` what each costs; ``overused_slots`` and
``pooled_lines`` are what explanations and statements show of it.
"""
