"""Answers of the reading commands as records for JSON and CSV. What a record means stands with its type.

``session_records`` sessions, and why they count in a slot or not; ``line_records`` a statement's line taken apart;
``token_records`` balances, ledger entries, charges and forecasts; ``outcome_records`` commands and what became of them;
``dispute_records`` disputes; ``letter_records`` dead letters, for terminals too.
"""
