"""The command line: options in, text out. What a command does is a use case in ``application``.

``main`` starts and ends the process; ``standard_streams`` makes its streams safe; ``command_registry`` loads the
command that is named and turns its errors into exit statuses; ``option_parser`` refuses what no codec can hold;
``whole_files`` writes files whole or not at all. ``commands`` has a module per command, ``tables`` what commands print.

The options that several commands share: ``store_options`` (which store, account and contract), ``as_of_option``,
``letter_options`` (which dead letters), ``packet_options`` (the packet of a dispute), ``order_options`` and
``post_options`` (orders, and where they are posted). ``broker_poster`` posts to a broker; a folder's poster is in
``embedded``.
"""
