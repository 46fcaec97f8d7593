"""plantgate: an industrial edge gateway from OPC UA and Modbus to MQTT.

It is not a safety instrumented system: the PLC must stay safe with the gateway dead, wrong or hostile.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gateway.errors import ConfigError as ConfigError
    from gateway.safety.breaker import CircuitState as CircuitState
    from gateway.safety.library import ConstraintType as ConstraintType
    from gateway.safety.library import OperationContext as OperationContext
    from gateway.safety.library import SafetyConfig as SafetyConfig
    from gateway.safety.library import SafetyConstraint as SafetyConstraint
    from gateway.safety.library import SafetyMetrics as SafetyMetrics
    from gateway.safety.library import SafetyViolation as SafetyViolation
    from gateway.safety.library import ValidationResult as ValidationResult
    from gateway.safety.library import ViolationSeverity as ViolationSeverity
    from gateway.safety.monitor import SafetyMonitor as SafetyMonitor
    from gateway.safety.verdict import SafetyLevel as SafetyLevel
else:
    _HOMES = {
        "ConfigError": "gateway.errors",
        "CircuitState": "gateway.safety.breaker",
        "ConstraintType": "gateway.safety.library",
        "OperationContext": "gateway.safety.library",
        "SafetyConfig": "gateway.safety.library",
        "SafetyConstraint": "gateway.safety.library",
        "SafetyMetrics": "gateway.safety.library",
        "SafetyViolation": "gateway.safety.library",
        "ValidationResult": "gateway.safety.library",
        "ViolationSeverity": "gateway.safety.library",
        "SafetyMonitor": "gateway.safety.monitor",
        "SafetyLevel": "gateway.safety.verdict",
    }

    def __getattr__(name: str) -> object:
        """Load a part when it is first asked for, so that importing one component loads no other."""
        from importlib import import_module  # noqa: PLC0415  (only who asks for a part pays for it)

        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'gateway' has no attribute {name!r}")
        return getattr(import_module(home), name)

    def __dir__() -> list[str]:
        """Return the public names."""
        return [*globals(), *_HOMES]
