"""The audit log: what is recorded, how it is chained, and how anyone can verify it."""
