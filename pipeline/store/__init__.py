"""SQL only: questions with plain parameters, rows and model values as answers, and inserts. No statement is made here.

``client`` is a server or the engine in this process, ``opening`` the one place that opens it, ``migrations`` lays out
its tables. ``arrow_inserts`` writes rows and ``arrays`` passes long lists into queries.

Written and read back: ``facts`` (session days, closes, deliveries, dead letters, denials), ``order_log``, ``postings``,
``contract_versions``, ``completeness_marks``, ``letters``. Read only: ``stored_sessions``, ``silent_sessions``,
``overused_sessions``, ``account_totals``. Counted in SQL: ``counts``, and ``uncovered_counts`` beyond the seats of
people; ``void_filter`` leaves voids out of both.
"""
