"""The virtual time of the gateway's own proofs, for tests."""

from gateway.testing.virtual_time import VirtualClock, VirtualLoop, run_virtual

__all__ = ["VirtualClock", "VirtualLoop", "run_virtual"]
