"""The tokens agent (RULES 6): ``tokens_agent``, ``bookkeeper``, ``account_book``, ``ledger_log``, ``ticks``.

The ledger's log is the truth; everything held in memory is a cache of it and of three other logs.
"""
