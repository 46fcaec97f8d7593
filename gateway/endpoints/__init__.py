"""Endpoints: one session, one lane and one connection an address."""
