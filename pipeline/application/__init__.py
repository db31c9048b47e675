"""What can be asked and ordered: use cases that take plain values and return values.

``account_view`` is what a question rests on (contract, log of orders, closes, ledger), read once; ``as_of_view`` is the
same as a close or another version of the contract had it. Then by subject: ``orders`` (judge and post), ``quarter``
(statements, what they rest on, and their audit), ``explain`` (from a figure down to sessions), ``tokens`` (the ledger
and its settlement), ``dead_letter_choice``.
"""
