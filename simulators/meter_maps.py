"""The registers of three devices on the market, as their makers document them.

An Eastron SDM630 (Modbus protocol 1.2.1, input registers), a three-phase inverter after SunSpec (models 1 and 103,
from 40000) and a Schneider Electric PM5110 (register list v2011_v2021 R01, whose register n is offset n - 1).
"""

from collections.abc import Iterator, Mapping

from simulators.spec import ModbusSpec, RegisterSpec, RegisterType, Signal

_PHASES = ("l1", "l2", "l3")
_PAIRS = ("l1_l2", "l2_l3", "l3_l1")


def _floats(first: int, *names: str) -> Iterator[tuple[int, str]]:
    for place, name in enumerate(names):
        yield first + 2 * place, name


def _each(kind: str, suffixes: tuple[str, ...] = _PHASES) -> list[str]:
    return [f"{kind}_{suffix}" for suffix in suffixes]


def _sdm630() -> Iterator[tuple[int, str]]:
    yield from _floats(0, *_each("voltage"), *_each("current"), *_each("active_power"), *_each("apparent_power"))
    yield from _floats(24, *_each("reactive_power"), *_each("power_factor"), *_each("phase_angle"), "voltage_ln")
    yield from _floats(46, "current", "current_sum")
    yield from ((52, "active_power"), (56, "apparent_power"), (60, "reactive_power"), (62, "power_factor"))
    yield 66, "phase_angle"
    yield from _floats(70, "frequency", "energy_import", "energy_export", "reactive_energy_import")
    yield from _floats(78, "reactive_energy_export", "apparent_energy", "charge", "power_demand", "power_demand_max")
    yield from _floats(100, "apparent_power_demand", "apparent_power_demand_max")
    yield from _floats(104, "neutral_current_demand", "neutral_current_demand_max")
    yield from _floats(200, *_each("voltage", _PAIRS), "voltage_ll")
    yield 224, "neutral_current"
    yield from _floats(234, *_each("voltage_thd"), *_each("current_thd"))
    yield from _floats(248, "voltage_thd", "current_thd")
    yield from _floats(258, *_each("current_demand"), *(f"current_demand_{phase}_max" for phase in _PHASES))
    yield from _floats(334, *_each("voltage_thd", _PAIRS), "voltage_thd_ll", "energy_total", "reactive_energy_total")
    yield from _floats(346, *_each("energy_import"), *_each("energy_export"), *_each("energy_total"))
    yield from _floats(364, *_each("reactive_energy_import"), *_each("reactive_energy_export"))
    yield from _floats(376, *_each("reactive_energy_total"))


SDM630 = ModbusSpec(
    name="sdm630",
    unit=1,
    points=tuple(RegisterSpec(name=name, signal=name, table="input", offset=offset) for offset, name in _sdm630()),
    # The meter answers for the registers between its parameters, too.
    blank=(("input", 0, 107), ("input", 200, 269), ("input", 334, 381)),
)

ABSENT_INT16, ABSENT_UINT16, ABSENT_UINT32 = -0x8000, 0xFFFF, 0xFFFFFFFF

INVERTER_PLATE: Mapping[str, Signal] = {
    "marker": "SunS",
    "common_id": 1,
    "common_length": 65,
    "manufacturer": "Plantgate",
    "model": "Simulated Inverter 10k",
    "options": "",
    "version": "1.04",
    "serial_number": "SN-0042-1337",
    "device_address": 2,
    "inverter_id": 103,
    "inverter_length": 50,
    "current_sf": -2,
    "voltage_sf": -1,
    "active_power_sf": 1,
    "frequency_sf": -2,
    "apparent_power_sf": 1,
    "reactive_power_sf": 1,
    "power_factor_sf": -2,
    "energy_sf": 0,
    "dc_current_sf": -2,
    "dc_voltage_sf": -1,
    "dc_power_sf": 1,
    "temperature_sf": -1,
    "temperature_transformer": ABSENT_INT16,
    "temperature_other": ABSENT_INT16,
    "state_vendor": ABSENT_UINT16,
    "events_2": 0,
    **{f"events_vendor_{place}": ABSENT_UINT32 for place in (1, 2, 3, 4)},
}
"""What the inverter says of itself, the exponents of its values, and what it does not have."""


def _register(offset: int, name: str, kind: RegisterType, *, length: int = 1, sf: str = "") -> RegisterSpec:
    power = INVERTER_PLATE[sf] if sf else 0
    assert isinstance(power, int), "a scale factor is a whole number"
    return RegisterSpec(
        name=name, signal=name, table="holding", offset=offset, type=kind, length=length, exponent=power
    )


def _common() -> Iterator[RegisterSpec]:
    yield _register(40000, "marker", "string", length=2)
    yield _register(40002, "common_id", "uint16")
    yield _register(40003, "common_length", "uint16")
    yield _register(40004, "manufacturer", "string", length=16)
    yield _register(40020, "model", "string", length=16)
    yield _register(40036, "options", "string", length=8)
    yield _register(40044, "version", "string", length=8)
    yield _register(40052, "serial_number", "string", length=16)
    yield _register(40068, "device_address", "uint16")


_MODEL_103: tuple[tuple[tuple[str, ...], RegisterType, str], ...] = (
    (("inverter_id", "inverter_length"), "uint16", ""),
    (("current", "current_a", "current_b", "current_c"), "uint16", "current_sf"),
    (("voltage_ab", "voltage_bc", "voltage_ca", "voltage_an", "voltage_bn", "voltage_cn"), "uint16", "voltage_sf"),
    (("active_power",), "int16", "active_power_sf"),
    (("frequency",), "uint16", "frequency_sf"),
    (("apparent_power",), "int16", "apparent_power_sf"),
    (("reactive_power",), "int16", "reactive_power_sf"),
    (("power_factor",), "int16", "power_factor_sf"),
    (("energy",), "uint32", "energy_sf"),
    (("dc_current",), "uint16", "dc_current_sf"),
    (("dc_voltage",), "uint16", "dc_voltage_sf"),
    (("dc_power",), "int16", "dc_power_sf"),
    (("temperature_cabinet", "temperature_heat_sink"), "int16", "temperature_sf"),
)
"""Values in a row, and the exponent that follows on them."""


def _model_103() -> Iterator[RegisterSpec]:
    offset = 40069
    for names, kind, sf in _MODEL_103:
        for name in names:
            yield _register(offset, name, kind, sf=sf)
            offset += 2 if kind == "uint32" else 1
        if sf == "temperature_sf":
            yield _register(offset, "temperature_transformer", "int16")
            yield _register(offset + 1, "temperature_other", "int16")
            offset += 2
        if sf:
            yield _register(offset, sf, "int16")
            offset += 1
    yield _register(offset, "state", "uint16")
    yield _register(offset + 1, "state_vendor", "uint16")
    vendors = (f"events_vendor_{place}" for place in (1, 2, 3, 4))
    for place, name in enumerate(("events", "events_2", *vendors)):
        yield _register(offset + 2 + 2 * place, name, "uint32")


INVERTER = ModbusSpec(name="inverter", unit=2, points=(*_common(), *_model_103()))

PM5110_PLATE: Mapping[str, Signal] = {
    "meter_name": "Main feeder",
    "meter_model": "PM5110",
    "manufacturer": "Schneider Electric",
    "serial_number": 4_021_337_005,
    "apparent_energy_export": float("nan"),
}

_PM5110_FLOATS: Mapping[int, tuple[int, tuple[str, ...]]] = {
    2700: (0, ("energy_import", "energy_export")),
    2708: (0, ("reactive_energy_import", "reactive_energy_export")),
    2716: (0, ("apparent_energy", "apparent_energy_export")),
    3000: (0, (*_each("current"), "neutral_current")),
    3010: (0, ("current",)),
    3018: (0, ("current_unbalance", *_each("voltage", _PAIRS), "voltage_ll", *_each("voltage"))),
    3036: (0, ("voltage_ln",)),
    3044: (0, ("voltage_unbalance",)),
    3054: (3, (*_each("active_power"), "active_power", *_each("reactive_power"), "reactive_power")),
    3070: (3, (*_each("apparent_power"), "apparent_power")),
    3110: (0, ("frequency",)),
    21300: (0, tuple(_each("current_thd"))),
    21322: (0, tuple(_each("voltage_thd", _PAIRS))),
    21330: (0, tuple(_each("voltage_thd"))),
}
"""First register -> the exponent of what is shown, in the plant's units, and the values in a row."""


def _pm5110() -> Iterator[RegisterSpec]:
    for register, name in ((30, "meter_name"), (50, "meter_model"), (70, "manufacturer")):
        yield RegisterSpec(name=name, signal=name, table="holding", offset=register - 1, type="string", length=20)
    yield RegisterSpec(name="serial_number", signal="serial_number", table="holding", offset=129, type="uint32")
    for register, (power, names) in _PM5110_FLOATS.items():
        for offset, name in _floats(register - 1, *names):
            yield RegisterSpec(name=name, signal=name, table="holding", offset=offset, exponent=power)
    for register, name in ((3204, "energy_import"), (3208, "energy_export")):
        yield RegisterSpec(
            name=f"{name}_wh", signal=name, table="holding", offset=register - 1, type="int64", exponent=-3
        )


PM5110 = ModbusSpec(name="pm5110", unit=3, points=tuple(_pm5110()))
