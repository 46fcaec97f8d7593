"""The safety gate: pure functions of values and time. It does no I/O and never waits."""
