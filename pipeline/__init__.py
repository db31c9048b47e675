"""Seatbeat meters design-software licence use from client heartbeats and explains every billed unit."""

__version__ = "0.1.0"
