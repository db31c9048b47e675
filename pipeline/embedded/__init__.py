"""All of Seatbeat in a single process, for trying out and for files.

``pipeline`` hosts the embedded ``broker``, the agents and the engine, and ``watch`` ends it when nothing moves. Files
come in through ``inputs`` and ``importer``; ``file_run``, ``demo_run`` and ``letter_replay`` are the runs;
``file_evidence`` reads files without a store; ``folder_posting`` posts into a folder's store without a broker.
"""
