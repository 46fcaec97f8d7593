"""Nothing can write to a device but `drivers/*/writing.py`: held against the syntax tree of every other file.

An OPC UA method call is a write. The names are the libraries' own; a test here notices new ones.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClient
from asyncua.common.node import Node
from pymodbus.client.mixin import ModbusClientMixin

from tests.servers import ROOT

MODBUS_VERBS = {
    "write_coil", "write_coils", "write_register", "write_registers", "write_file_record", "mask_write_register",
    "readwrite_registers", "diag_change_ascii_input_delimeter", "diag_clear_counters", "diag_clear_overrun_counter",
    "diag_force_listen_only", "diag_getclear_modbus_response", "diag_restart_communication",
}  # fmt: skip
MODBUS_READS = {"DATATYPE", "convert_from_registers", "convert_to_registers", "execute", "report_device_id"}
OPCUA_VERBS = {
    "write_value", "write_values", "write_attribute", "write_attributes", "write_params", "write_array_dimensions",
    "write_data_type_definition", "write_value_rank", "set_value", "set_values", "set_data_value", "set_attr_bit",
    "unset_attr_bit", "set_writable", "set_read_only", "set_event_notifier", "set_modelling_rule", "call_method",
    "add_data_type", "add_folder", "add_method", "add_object", "add_object_type", "add_property", "add_reference",
    "add_reference_type", "add_variable", "add_variable_type", "add_nodes", "add_references", "delete_nodes",
    "delete_reference", "delete_references", "history_update", "new_node", "import_xml", "register_namespace",
    "register_server", "register_server2", "unregister_server", "unregister_server2",
}  # fmt: skip
PLAIN_VERBS = {"write", "call", "execute", "delete", "register", "unregister"}
"""Verbs of the libraries that other things have too: forbidden as methods where a library is imported."""
OPCUA_OWN_STATE = {
    "add_error_handler", "delete_monitored_items", "delete_subscriptions", "set_locale", "set_monitoring_mode",
    "set_password", "set_publishing_mode", "set_security", "set_security_string", "set_user",
    "set_max_concurrent_requests",
}  # fmt: skip
"""They change the session, or this side of it, and nothing of the plant."""
READING_MESSAGES = {
    "ReadCoilsRequest", "ReadDiscreteInputsRequest", "ReadHoldingRegistersRequest", "ReadInputRegistersRequest",
    "ReadDeviceInformationRequest", "ReadRequest", "ReadParameters", "BrowseRequest", "BrowseParameters",
    "BrowseNextRequest", "BrowseNextParameters", "CreateSessionRequest", "CreateSessionParameters",
    "ActivateSessionRequest", "ActivateSessionParameters", "CloseSessionRequest", "OpenSecureChannelRequest",
    "OpenSecureChannelParameters", "CloseSecureChannelRequest", "CreateSubscriptionRequest",
    "CreateSubscriptionParameters", "ModifySubscriptionRequest", "ModifySubscriptionParameters",
    "DeleteSubscriptionsRequest", "DeleteSubscriptionsParameters", "CreateMonitoredItemsRequest",
    "CreateMonitoredItemsParameters", "MonitoredItemCreateRequest", "MonitoringParameters",
    "ModifyMonitoredItemsRequest", "ModifyMonitoredItemsParameters", "MonitoredItemModifyRequest",
    "DeleteMonitoredItemsRequest", "DeleteMonitoredItemsParameters", "SetPublishingModeRequest",
    "SetPublishingModeParameters", "PublishRequest", "PublishParameters", "RepublishRequest", "RepublishParameters",
    "GetEndpointsRequest", "GetEndpointsParameters", "FindServersRequest", "TranslateBrowsePathsToNodeIdsRequest",
    "TranslateBrowsePathsToNodeIdsParameters", "SetMonitoringModeRequest", "SetMonitoringModeParameters",
}  # fmt: skip
"""Every message of the libraries that may be named at all; one that is not here counts as a write."""

MESSAGE = re.compile(r"[A-Z]\w+(Request|Parameters)")
LIBRARIES = {"pymodbus", "asyncua"}


def sources() -> list[Path]:
    files = [path for folder in ("drivers", "gateway") for path in (ROOT / folder).rglob("*.py")]
    return [path for path in files if not path.match("drivers/*/writing.py")]


def find_writes(tree: ast.Module) -> Iterator[str]:
    """Yield every name in the tree by which a device could be written to."""
    uses_library = bool(imported(tree) & LIBRARIES)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for name in names_of(node):
            if name in MODBUS_VERBS | OPCUA_VERBS:
                yield f"line {line}: {name}"
            elif uses_library and isinstance(node, ast.Attribute) and name in PLAIN_VERBS:
                yield f"line {line}: .{name}"
            elif uses_library and MESSAGE.fullmatch(name) and name not in READING_MESSAGES:
                yield f"line {line}: {name}"


def names_of(node: ast.AST) -> list[str]:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return [name]
        case ast.Constant(value=str() as name):  # getattr(client, "write_coil")
            return [name] if name.isidentifier() else []
        case ast.ImportFrom(names=aliases) | ast.Import(names=aliases):
            return [alias.name for alias in aliases]
    return []


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_no_file_but_a_writing_one_can_write_to_a_device() -> None:
    found = {
        str(path.relative_to(ROOT)): writes
        for path in sources()
        if (writes := list(find_writes(ast.parse(path.read_text(), path))))
    }
    assert found == {}


def test_the_files_that_use_the_libraries_are_really_looked_at() -> None:
    users = {path.parent.name for path in sources() if imported(ast.parse(path.read_text())) & LIBRARIES}
    assert users == {"modbus", "opcua"}


@pytest.mark.parametrize(
    "code",
    [
        "await client.write_coil(0, True)",
        "write = client.write_registers",
        "getattr(client, 'mask_write_register')(0)",
        "await node.call_method(ua.NodeId(1))",
        "from asyncua import ua\nua.WriteRequest()",
        "import asyncua\nawait session.write(params)",
        "from asyncua import ua\nawait ua_client.call([])",
        "from pymodbus.pdu.bit_message import WriteSingleCoilRequest",
        "from pymodbus.pdu.register_message import WriteSingleRegisterRequest as Harmless",
        "import pymodbus\nclient.execute(False, request)",
    ],
)
def test_a_write_is_found_however_it_is_spelled(code: str) -> None:
    assert list(find_writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["stream.write('text')", "loop.call_soon(f)", "from asyncua import ua\nua.ReadRequest()", "self.register = 40011"],
)
def test_what_is_no_write_to_a_device_is_left_alone(code: str) -> None:
    assert not list(find_writes(ast.parse(code)))


def test_every_verb_of_pymodbus_is_known_as_a_read_or_a_write() -> None:
    verbs = {name for name in dir(ModbusClientMixin) if not name.startswith(("_", "read_", "diag_read_", "diag_get_"))}
    assert verbs - MODBUS_READS - {"diag_query_data"} == MODBUS_VERBS


def test_every_changing_verb_of_asyncua_is_known() -> None:
    verbs = {name for owner in (Node, Client, UaClient) for name in dir(owner)}
    changing = ("write", "set_", "unset_", "add_", "delete", "call", "import_", "new_", "register", "unregister")
    found = {name for name in verbs if name.startswith(changing) or name.endswith("_update")}
    assert found - OPCUA_VERBS - OPCUA_OWN_STATE - {"register_nodes", "unregister_nodes"} <= PLAIN_VERBS
