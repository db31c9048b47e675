"""Kafka without any framework: what agents, commands and the embedded pipeline share.

``topics`` (schemas as code, partitions by key), ``topic_differences``, ``settings``, ``headers``; ``producer`` and
``posting`` write; ``reaching`` says why no broker answers; ``group_lag``, ``ranges`` and ``whole_log`` read from
outside any consumer group; ``replay_plan`` turns dead letters into messages again.
"""
