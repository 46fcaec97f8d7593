"""Field protocols: they know nothing of the gateway."""
