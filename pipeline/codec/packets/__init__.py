"""A dispute packet as the files that go with a ticket (RULES 7, Dispute packet).

``language`` and ``texts/*.yaml`` hold what is said in each language; ``ticket`` is the text to paste, ``chart`` a day's
counts as SVG, ``page`` the printable page, ``packet_records`` JSON and CSV; ``packet_files`` names the files.
"""
