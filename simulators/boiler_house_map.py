"""The boiler house's two PLCs as their clients see them; config/boiler-house.yaml reads the same map."""

from simulators.spec import ModbusSpec, OpcUaSpec, RegisterSpec, RegisterType, Table, VariableSpec, VariableType

NAMESPACE = "urn:boiler-house"


def _input(offset: int, name: str, noise: float, low: float, high: float) -> RegisterSpec:
    signal = f"boiler.{name}"
    return RegisterSpec(name=name, signal=signal, table="input", offset=offset, noise=noise, span=(low, high))


def _register(table: Table, offset: int, name: str, kind: RegisterType, *, writable: bool = False) -> RegisterSpec:
    return RegisterSpec(name=name, signal=f"boiler.{name}", table=table, offset=offset, type=kind, writable=writable)


BOILER = ModbusSpec(
    name="boiler",
    unit=1,
    points=(
        _input(0, "steam_temperature", 0.15, 0, 700),
        _input(2, "drum_pressure", 0.03, 0, 60),
        _input(4, "drum_level", 1.5, -300, 300),
        _input(6, "steam_flow", 0.05, 0, 40),
        _input(8, "feed_water_flow", 0.08, 0, 40),
        _input(10, "feed_water_temperature", 0.1, 0, 150),
        _input(12, "flue_gas_temperature", 0.4, 0, 500),
        _input(14, "o2", 0.03, 0, 25),
        _input(16, "nox", 1.0, 0, 500),
        _input(18, "fuel_flow", 0.001, 0, 1),
        _input(20, "firing_rate", 0.0, 0, 120),
        _input(22, "efficiency", 0.0, 0, 100),
        _input(24, "bypass_valve", 0.0, 0, 100),
        _register("input", 40, "scan_counter", "uint16"),
        _register("discrete", 0, "feed_pump_running", "bool"),
        _register("discrete", 1, "flame", "bool"),
        _register("discrete", 2, "locked_out", "bool"),
        _register("coil", 0, "burner_enable", "bool", writable=True),
        _register("coil", 1, "feed_pump_enable", "bool", writable=True),
        _register("holding", 10, "temperature_setpoint", "float32", writable=True),
        _register("holding", 12, "pressure_setpoint", "float32", writable=True),
    ),
)


def _sensor(node: str, name: str, noise: float, low: float, high: float, of: str = "") -> VariableSpec:
    signal = f"turbine.{of or name}"
    return VariableSpec(name=name, signal=signal, node=f"Turbine.{node}", noise=noise, span=(low, high))


def _variable(node: str, name: str, kind: VariableType, *, writable: bool = False) -> VariableSpec:
    return VariableSpec(name=name, signal=f"turbine.{name}", node=f"Turbine.{node}", type=kind, writable=writable)


TURBINE = OpcUaSpec(
    name="turbine",
    namespace=NAMESPACE,
    points=(
        _sensor("Speed", "speed", 0.8, 0, 4500),
        _sensor("SpeedB", "speed_b", 0.8, 0, 4500, of="speed"),
        _sensor("SpeedC", "speed_c", 0.8, 0, 4500, of="speed"),
        _sensor("Power", "power", 0.01, -1, 6),
        _sensor("SteamFlow", "steam_flow", 0.05, 0, 30),
        _sensor("InletPressure", "inlet_pressure", 0.03, 0, 60),
        _sensor("InletTemperature", "inlet_temperature", 0.2, 0, 700),
        _sensor("ValvePosition", "valve_position", 0.05, 0, 100),
        _sensor("Vibration", "vibration", 0.04, 0, 20),
        _sensor("BearingTemperature", "bearing_temperature", 0.05, 0, 150),
        _sensor("GridFrequency", "grid_frequency", 0.001, 45, 55),
        _variable("Breaker", "breaker", "Boolean"),
        _variable("State", "state", "String"),
        _variable("ScanCounter", "scan_counter", "UInt32"),
        _variable("TripValve", "trip_valve", "Boolean", writable=True),
        _variable("LoadSetpoint", "load_setpoint", "Double", writable=True),
    ),
)
