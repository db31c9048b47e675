"""Live counts: ``live_counts`` (the cache), ``rebuild`` (from store and log), ``seats_agent`` (the agent)."""
