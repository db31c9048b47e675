"""Token licences (RULES 6): from activity to charge windows, from windows and purchases to the ledger.

In the order of the money: ``activity`` says when a session is in use, ``rates`` what a product costs and when,
``windows`` what is charged, ``packs`` who pays, ``ledger`` what has been decided for good, ``posting`` what is to be
decided next. ``statement``, ``forecast``, ``connections`` and ``audit`` read it back.
"""
