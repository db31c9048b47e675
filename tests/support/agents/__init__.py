"""Drives agents: messages for their steps, and the checkpoints of the Faust adapter."""
