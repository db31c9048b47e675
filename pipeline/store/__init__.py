"""SQL only: what is asked of ClickHouse and what is inserted. Plain parameters in, rows and model values out.

``client`` (one client for a server and the embedded engine), ``opening`` and ``migrations`` (a store that is up to
date), ``facts`` (evidence in), ``order_log``, ``postings``, ``contract_versions``, ``letters`` (logs and letters),
``stored_sessions``, ``counts`` and what builds on them (evidence out), ``void_filter`` (voids as conditions).
"""
