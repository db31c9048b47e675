"""Bytes and texts to values of the model, and back. orjson is imported here only.

``json_text`` parses and writes JSON; ``field_reader`` and ``json_fields`` read an object field by field;
``json_schema`` checks values against our schemas, which ``schema_folder`` finds; ``csv_text`` writes CSV;
``input_files`` reads files by lines, and ``heartbeat_file_hints`` says what holds none. ``topics/`` holds the messages
of Kafka, ``contract/`` contracts, ``statement/`` statements, ``reports/`` the answers of reading commands, ``packets/``
disputes, ``flexnet/`` logs of licence servers.
"""
