"""Provides ClickHouse's HTTP interface in front of chDB, with injected faults.

`server` starts it as a process, `http_interface` serves it: `request` parses, `engine` executes, `faults` decides which
statements fail, `http_wire` writes answers or cuts them.
"""
