"""The journal: what must be on the disk before the gateway acts, behind a port that tests can fill from memory."""
