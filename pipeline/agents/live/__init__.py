"""Live counts: ``held_usage`` (columns of a partition), ``live_counts`` (the cache), ``rebuild``, ``seats_agent``."""
