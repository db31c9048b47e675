"""Runs agents with Faust, the only package that imports it (docs/decisions/0001-faust-behind-a-protocol.md).

``consumer`` implements ``pipeline/agents/consuming.py``; ``app`` builds a Faust app, ``transport`` is its Kafka client
with bounds of ours, ``checkpoint`` acknowledges after the flush, ``continuity`` notices skipped messages.
"""
