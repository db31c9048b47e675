"""What commands print, as people and programs read it.

``console`` is where output goes: results on stdout, everything else on stderr. ``printing`` writes JSON and CSV.
``fitted_table`` is the table of all tables: it never cuts a figure.
``cells`` has the texts that tables share: minutes, lengths of time, texts from outside, counts with their noun.
Then by what is shown: ``statement_tables`` and ``statement_remarks`` (a statement, and what is said beside it),
``slot_tree``, ``pooled_line_tree``, ``seat_line_tree`` and ``flex_line_tree`` (what stands behind a line),
``token_tables``, ``order_table``, ``dispute_table``, and ``progress_bar`` for work that takes its time.
"""
