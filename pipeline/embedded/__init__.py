"""All of Seatbeat in a single process, for trying out and for files.

``pipeline`` hosts the embedded ``broker``, the agents and the engine, and ``watch`` ends it when nothing moves. Files
come in through ``inputs``, ``importer`` and ``file_evidence``; ``file_run``, ``demo_run`` and ``letter_replay`` are the
runs; ``folder_posting`` posts into a folder's store without a broker.
"""
