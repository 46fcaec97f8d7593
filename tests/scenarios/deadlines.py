"""The times of the scenarios' configurations, and how much longer than expected is waited on a busy machine."""

SLACK = 10.0
"""A deadline is so many times what is to be expected."""

SCAN = 0.2
PERIOD = 0.1
"""Of the safety evaluation."""
TIMEOUT = 0.5
"""Of one Modbus request."""
MAX_AGE = 10.0
"""Of a sample: a machine that stands still for a moment must not make it stale."""
DEVICE_PAUSE = 0.5
"""The longest pause between two attempts to connect to a device."""
BROKER_PAUSE = 1.0
"""The longest pause between two attempts to connect to the broker."""
CONNECT = 0.5
"""What one connection takes, with an OPC UA session on it."""

SEEN = SLACK * (SCAN + PERIOD)
"""A change in the plant is on MQTT."""
LOST = SLACK * (SCAN + TIMEOUT)
"""A device that is gone is known to be."""
BACK = SLACK * (DEVICE_PAUSE + CONNECT + SCAN)
"""A device that came back is read again."""
BROKER_BACK = SLACK * (BROKER_PAUSE + CONNECT)
"""A broker that came back holds everything that is current."""
START = 20.0
"""A Python process with all its libraries has started: 1 to 3 s."""
STOP = 5.0
"""What the gateway is given for its ordered stop; no slack, it is a promise."""
STOP_AT_WORST = 10.0
"""What systemd gives it, for a broker and devices that hang at the same time: 4 s are to be expected."""
