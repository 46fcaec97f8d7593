"""plantgate: an industrial edge gateway from OPC UA and Modbus to MQTT.

It is not a safety instrumented system: the PLC must stay safe with the gateway dead, wrong or hostile.
"""

__version__ = "0.1.0"
