import pytest

from drivers.opcua.quality import judge_status
from drivers.values import Quality


@pytest.mark.parametrize(
    ("status", "quality", "reason"),
    [
        (0x00000000, Quality.GOOD, ""),
        (0x00300000, Quality.GOOD, ""),  # GoodClamped
        (0x00000400, Quality.GOOD, ""),
        (0x00000480, Quality.UNCERTAIN, "overflow"),
        (0x00000080, Quality.GOOD, ""),  # the overflow bit without the info type that gives it a meaning
        (0x00000880, Quality.GOOD, ""),
        (0x40000000, Quality.UNCERTAIN, "uncertain"),
        (0x40900000, Quality.UNCERTAIN, "last_usable_value"),
        (0x40900480, Quality.UNCERTAIN, "last_usable_value"),
        (0x80000000, Quality.BAD, "bad"),
        (0x80050000, Quality.BAD, "communication_error"),
        (0x80320000, Quality.BAD, "waiting_for_initial_data"),
        (0x80340000, Quality.BAD, "node_unknown"),
        (0x80340403, Quality.BAD, "node_unknown"),
        (0x80FF0000, Quality.BAD, "status_80ff0000"),
        (0x40FF0000, Quality.UNCERTAIN, "status_40ff0000"),
        (0xC0000000, Quality.BAD, "status_c0000000"),
        (0xFFFFFFFF, Quality.BAD, "status_ffff0000"),
    ],
)
def test_severity_decides_and_the_code_gives_the_reason(status: int, quality: Quality, reason: str) -> None:
    assert judge_status(status) == (quality, reason)
