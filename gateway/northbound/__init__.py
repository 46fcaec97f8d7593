"""Northbound: the gateway as MQTT clients see it."""
