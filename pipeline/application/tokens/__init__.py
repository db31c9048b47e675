"""Tokens: ``token_reading`` reads the evidence that is charged, ``token_settlement`` settles what is stored, and
``token_account`` answers questions about balances, charges and how long tokens last.
"""
