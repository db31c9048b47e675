"""Runs processes: `seatbeat` commands, scenarios on the embedded pipeline, and their ends.

`processes` starts and ends them, `launcher` forks commands without their imports, `seatbeat_process` runs a command,
`scenario_process`, `posting_process` and `faulty_worker` are programs that tests start.
"""
