"""Contracts: a YAML file's bytes to a contract, or to every mistake in it (INTERFACES, Contract).

In reading order: ``examination`` is the whole way; ``yaml_document`` parses the file and remembers its lines;
``schema_mistakes`` puts into words what the JSON Schema refuses; ``entries`` reads values and notes mistakes at their
lines. Then each part of a contract: ``policies``, ``products``, ``entitlements``, ``seat_lists``. ``overlaps`` finds
contradictions in time, ``contract_warnings`` what is no mistake but may cost money.
"""
