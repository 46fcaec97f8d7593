"""`plantgate check --learned` and `plantgate read` at a device that refuses some of what it is asked for."""

import asyncio
import json
import struct
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.settings.load import load
from tests.integration.fake_plc import Asked, FakePlc, exception, fake_plc, frame, good
from tests.servers import ROOT, free_port

pytestmark = pytest.mark.real


@pytest_asyncio.fixture
async def plc() -> AsyncIterator[FakePlc]:
    async with fake_plc() as plc:
        plc.words = list(range(65536))
        yield plc


def with_holes(*absent: int, longest: int = 125) -> object:
    """Refuse requests that touch an address, or are too long."""

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        touched = range(asked.start, asked.start + asked.size)
        code = 3 if asked.size > longest else 2 if any(each in touched for each in absent) else 0
        if code:
            writer.write(frame(asked.transaction, asked.unit, asked.function | 0x80, struct.pack("B", code)))
        else:
            await good(plc, asked, writer)

    return answer


def config(folder: Path, port: int, tags: str, profile: str = "{}") -> Path:
    file = folder / "plant.yaml"
    file.write_text(
        "gateway: {id: x}\ndevices:\n  meter:\n    driver: modbus\n"
        f"    url: tcp://127.0.0.1:{port}\n    profile: {profile}\n    tags: {tags}\n"
    )
    return file


async def plantgate(*arguments: str) -> tuple[int | None, str, str]:
    command = (sys.executable, "-m", "gateway", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


TAGS = "{a: {address: holding:10}, b: {address: holding:12}, c: {address: holding:14}, d: {address: holding:40}}"


async def test_holes_are_printed_as_keys_to_paste_and_missing_tags_are_named(plc: FakePlc, tmp_path: Path) -> None:
    plc.always(with_holes(13, 40))  # type: ignore[arg-type]  # a behaviour
    file = config(tmp_path, plc.port, TAGS, "{holes: [holding:500]}")
    code, out, _ = await plantgate("check", str(file), "--learned")
    assert out.splitlines() == [
        "meter:",
        "  profile:",
        "    holes: [holding:500, holding:13]",
        "# meter.d does not exist there; correct its address, or leave it out",
    ]
    assert code == 3
    pasted = config(tmp_path, plc.port, TAGS, "{holes: [holding:500, holding:13]}")
    assert load(str(pasted)).settings.devices["meter"].driver_settings.profile.holes == ("holding:500", "holding:13")


async def test_the_good_tags_of_a_device_with_a_hole_are_read(plc: FakePlc, tmp_path: Path) -> None:
    plc.always(with_holes(13, 40))  # type: ignore[arg-type]  # a behaviour
    code, out, err = await plantgate("read", str(config(tmp_path, plc.port, TAGS)))
    rows = [line.split() for line in out.splitlines()]
    assert [(row[0], row[1], row[-2:]) for row in rows[:3]] == [
        ("meter.a", "10", ["10", "good"]),
        ("meter.b", "12", ["12", "good"]),
        ("meter.c", "14", ["14", "good"]),
    ]
    assert rows[3] == ["meter.d", "-", "bad", "(exception_2)"]
    assert (code, len(err.splitlines())) == (1, 1)


async def test_a_longest_request_is_found_out(plc: FakePlc, tmp_path: Path) -> None:
    plc.always(with_holes(longest=30))  # type: ignore[arg-type]  # a behaviour
    tags = "{" + ", ".join(f"t{place}: {{address: holding:{place}}}" for place in range(120)) + "}"
    code, out, _ = await plantgate("check", str(config(tmp_path, plc.port, tags)), "--learned", "--json")
    assert code == 0
    assert json.loads(out) == {"meter": {"answers": True, "reason": "", "profile": {"max_block": 30}, "missing": []}}


async def test_a_sound_device_has_nothing_to_teach(plc: FakePlc, tmp_path: Path) -> None:
    code, out, err = await plantgate("check", str(config(tmp_path, plc.port, TAGS)), "--learned")
    assert (code, err) == (0, "")
    assert out == "# there is nothing to learn: every block is answered as it is planned\n"


async def test_a_device_that_refuses_everything_teaches_nothing(plc: FakePlc, tmp_path: Path) -> None:
    plc.always(exception(2))
    code, out, _ = await plantgate("check", str(config(tmp_path, plc.port, TAGS)), "--learned")
    assert code == 1
    assert out == "# meter: nothing was learned; none of its tags was read (exception_2)\n"


async def test_a_device_that_is_away_is_exit_code_1(tmp_path: Path) -> None:
    code, out, err = await plantgate("check", str(config(tmp_path, free_port(), TAGS)), "--learned")
    assert code == 1
    assert out == "# meter: nothing was learned; none of its tags was read (refused)\n"
    assert "connection refused" in err


async def test_a_value_waits_for_its_exponent_that_a_hole_keeps_apart(plc: FakePlc, tmp_path: Path) -> None:
    plc.always(with_holes(12))  # type: ignore[arg-type]  # a behaviour
    plc.words[14] = 2
    tags = "{power: {address: holding:10, type: int16, exponent: holding:14, unit: W}}"
    code, out, err = await plantgate("read", str(config(tmp_path, plc.port, tags)))
    assert (code, err) == (0, "")
    assert out.split() == ["meter.power", "1000", "W", "good"]
