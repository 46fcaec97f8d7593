"""Structures of a server's own: nested, with optional fields, arrays, enumerations and a union."""

from datetime import UTC, datetime
from typing import Any

import asyncua
from asyncua.common.structures104 import new_enum, new_struct, new_struct_field
from asyncua.server.server import Server

ua: Any = asyncua.ua  # its types refuse the plain values that it documents

SINCE = datetime(2026, 1, 1, 12, 30, 15, tzinfo=UTC)

MOTOR = {
    "Name": "P-101",
    "State": 1,
    "Drive": {"Speed": 1480.5, "Currents": (1.5, 2.5, 3.5), "Torque": 12.25},
    "Spares": ({"Speed": 1.0, "Currents": (), "Torque": 2.0}, {"Speed": 2.0, "Currents": (4.0,)}),
    "Running": True,
    "Counter": 2**63,
    "Since": SINCE,
    "Mark": b"\x00\xff",
}
CHOICE = {"Number": 7}


async def add_structures(server: Server, index: int) -> None:
    """Add `Motor` and `Choice`, whose values are MOTOR and CHOICE."""
    kind = ua.VariantType
    state = await new_enum(server, index, "MotorState", ["Stopped", "Running"])
    drive, _ = await new_struct(server, index, "DriveType", [
        new_struct_field("Speed", kind.Double),
        new_struct_field("Currents", kind.Double, array=True),
        new_struct_field("Torque", kind.Float, optional=True),
    ])  # fmt: skip
    motor, _ = await new_struct(server, index, "MotorType", [
        new_struct_field("Name", kind.String),
        new_struct_field("State", state),
        new_struct_field("Drive", drive),
        new_struct_field("Spares", drive, array=True),
        new_struct_field("Running", kind.Boolean),
        new_struct_field("Counter", kind.UInt64),
        new_struct_field("Since", kind.DateTime),
        new_struct_field("Mark", kind.ByteString),
    ])  # fmt: skip
    choice, _ = await new_struct(server, index, "ChoiceType", [
        new_struct_field("Text", kind.String),
        new_struct_field("Number", kind.Int32),
    ], is_union=True)  # fmt: skip
    known = await server.load_data_type_definitions()

    def new_drive(speed: float, currents: list[float], torque: float | None) -> Any:
        return known["DriveType"](Speed=speed, Currents=currents, Torque=torque)

    value = known["MotorType"](
        Name="P-101",
        State=known["MotorState"](1),
        Drive=new_drive(1480.5, [1.5, 2.5, 3.5], 12.25),
        Spares=[new_drive(1.0, [], 2.0), new_drive(2.0, [4.0], None)],
        Running=True,
        Counter=2**63,
        Since=SINCE,
        Mark=b"\x00\xff",
    )
    chosen = known["ChoiceType"]()
    chosen.Number = 7
    for name, content, data_type in (("Motor", value, motor), ("Choice", chosen, choice)):
        await server.nodes.objects.add_variable(
            ua.NodeId(name, index), name, ua.Variant(content, kind.ExtensionObject), datatype=data_type.nodeid
        )
