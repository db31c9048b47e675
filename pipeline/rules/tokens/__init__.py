"""Token licences (RULES 6): from activity to charge windows, from windows and purchases to the ledger.

In the order of the money: ``activity`` says when a session is in use (with the arithmetic of ``spans``), ``rates`` what
a product costs and when (with ``versions``), ``windows`` what is charged. ``pack_order`` says which packs pay,
``settling_hold`` when a window is settled, ``token_orders`` which purchases and credits are carried out. ``ledger`` is
what has been decided for good, ``drafts`` what is to be posted next, ``token_evidence`` the cache of what may still be
charged. ``balance``, ``flex_lines``, ``forecast``, ``connections``, ``charge_explanation``, ``refused_token_orders``
and ``ledger_audit`` read it all back.
"""
