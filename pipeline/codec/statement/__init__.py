"""Statements as JSON and CSV (INTERFACES, Statement; ``schemas/statement.v1.schema.json``).

``statement_json`` writes a statement and reads it back, ``line_json`` does so for its lines: each record is declared
once, and written and read side by side. A close freezes this JSON (RULES 7), so written, read and written again it is
the same text. ``statement_csv`` has a row per line.
"""
