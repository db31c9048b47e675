"""The commands, a module each: its parser, and ``run``, which returns the exit status."""
