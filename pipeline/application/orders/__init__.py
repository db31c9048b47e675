"""Orders, each judged by the log that it is posted to.

``place_order`` judges and posts any order, ``poster`` is what writes it, ``order_outcomes`` says what became of each.
``close_quarter``, ``disputes``, ``buy_tokens`` and ``apply_contract`` are orders with rules of their own;
``unusual_orders`` are those that must be confirmed, and ``line_cost`` is the bound of a grant; ``contract_history``
lists versions, ``void_evidence`` says whether a void leaves anything out.
"""
