"""Orders: ``place_order`` judges an order by the log that it is posted to (``poster`` writes it, ``order_outcomes``
says what became of each), ``close_quarter``, ``disputes``, ``buy_tokens`` and ``apply_contract`` are the orders with rules of
their own; ``contract_history`` lists versions, ``void_evidence`` says whether a void leaves anything out.
"""
