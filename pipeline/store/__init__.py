"""SQL only: questions with plain parameters, rows and model values as answers, and inserts. No statement is made here.

``client`` is a server or the engine in this process, ``opening`` the one place that opens it, ``embedded_folder`` what
the engine's folder allows, ``migrations`` lays out its tables. ``arrow_inserts`` writes rows.

Written and read back: ``facts`` (session days, closes, deliveries, dead letters, denials), ``order_log``, ``postings``,
``contract_versions``, ``completeness_marks``, ``letters``. Read only: ``stored_sessions``, ``silent_sessions``,
``overused_sessions``, ``account_totals``. Counted in SQL: ``counting``.
"""
