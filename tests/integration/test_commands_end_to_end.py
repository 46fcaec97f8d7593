"""`plantgate write`, `ack`, `reset`, `bypass`, `shelve` and `relinquish` against a running gateway and its plant."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.fake_plc import good
from tests.integration.plantgate_command import Said, plantgate
from tests.scenarios.deadlines import BACK
from tests.scenarios.write_behaviours import Deaf
from tests.scenarios.written_plant import (
    BURNER_OFF,
    HOT_STEAM,
    LOW_SETPOINT,
    TRIPPED,
    WrittenPlant,
    setpoint,
    written_plant,
)

pytestmark = pytest.mark.real

WHY = ("--reason", "seen")


async def said(plant: WrittenPlant, *arguments: str) -> Said:
    return await plantgate(*arguments, "--mqtt", plant.broker.url)


async def test_a_write_is_carried_out_and_its_outcome_printed_and_its_exit_code(tmp_path: Path) -> None:
    async with written_plant(tmp_path) as plant:
        done, wrong, unknown, told = await asyncio.gather(
            said(plant, "write", "boiler.setpoint=460", "--reason", "warmer"),
            said(plant, "write", "boiler.setpoint=510"),
            said(plant, "write", "boiler.nothing=1"),
            said(plant, "write", "boiler.count=8", "boiler.burner=true", "--json"),
        )
        assert (done.code, done.out) == (0, "applied\n  boiler.setpoint: 460, read back 460: applied\n"), done
        assert (wrong.code, wrong.out.splitlines()[0][:20]) == (1, "refused (violation):"), wrong
        assert "  violation: low" in wrong.out
        assert "value 510 limit 500" in wrong.out
        assert (unknown.code, unknown.out[:23]) == (1, "refused (unknown_tag): "), unknown
        assert told.code == 0
        assert list(json.loads(told.out)["results"]) == ["boiler.count", "boiler.burner"]
        assert setpoint(460) in plant.boiler.writes
        assert len(plant.boiler.writes) == 3
        given_up = await said(plant, "relinquish", "boiler.setpoint")
        assert given_up.code == 0
        assert given_up.out.startswith("applied")
        plant.boiler.always(Deaf(takes=True))
        silent = await said(plant, "write", "boiler.setpoint=470")
        assert (silent.code, silent.out[:18]) == (3, "unknown (timeout):"), silent
        assert "look at the plant before you write again" in silent.out
        plant.boiler.always(good)


async def test_what_an_operator_does_about_a_trip_is_done_refused_and_told(tmp_path: Path) -> None:
    low = {**LOW_SETPOINT, "bypassable": True, "max_bypass": "1h"}
    async with written_plant(tmp_path, constraints=[HOT_STEAM, low]) as plant:
        plant.daemon.may_log |= TRIPPED
        bypassed, not_so, too_long = await asyncio.gather(
            said(plant, "bypass", "low", "--for", "30m", *WHY),
            said(plant, "bypass", "hot", "--for", "30m", *WHY),
            said(plant, "bypass", "low", "--for", "2h", *WHY),
        )
        assert (bypassed.code, bypassed.out[:7]) == (0, "applied"), bypassed
        assert (not_so.code, not_so.out[:25]) == (1, "refused (not_bypassable):"), not_so
        assert too_long.code == 1, too_long
        await plant.client.until(
            "it is bypassed", lambda: "bypassed_until" in plant.client.newest["constraint/low"], BACK
        )
        assert (await said(plant, "write", "boiler.setpoint=510")).code == 0
        await plant.trips()
        acked, shelved, early = await asyncio.gather(
            said(plant, "ack", "hot", *WHY),
            said(plant, "shelve", "low", "--for", "8h", *WHY),
            said(plant, "reset", "hot", *WHY),
        )
        assert (acked.code, shelved.code) == (0, 0), (acked, shelved)
        assert (early.code, early.out[:24]) == (1, "refused (cause_present):"), early
        await plant.client.shows("constraint/hot", BACK, alarm="ack_active", latched=True)
        await plant.client.shows("constraint/low", BACK, alarm="shelved")
        await plant.cools()
        assert (await said(plant, "reset", *WHY)).code == 0
        await plant.client.shows("constraint/hot", BACK, latched=False)
        nameless = await said(plant, "reset", "nothing", *WHY)
        assert (nameless.code, nameless.out[:22]) == (1, "refused (unknown_name)"), nameless
        assert plant.boiler.writes == [setpoint(510), BURNER_OFF]


async def test_a_signed_command_is_somebody_s_and_an_unsigned_one_nobody_s(tmp_path: Path) -> None:
    key, stranger = tmp_path / "operator-1.pem", tmp_path / "stranger.pem"
    await asyncio.gather(*(asyncio.to_thread(make_key, each) for each in (key, stranger)))
    sections: dict[str, Any] = {
        "commands": {"keys": {"operator-1": {"ed25519": public_key(key)}}},
        "authority": {"operator-1": {"role": "operator", "may": ["write"], "tags": ["boiler.*"]}},
    }
    async with written_plant(tmp_path, **sections) as plant:
        signed = ("--as", "operator-1", "--key", str(key))
        done = await said(plant, "write", "boiler.setpoint=460", *signed)
        forged, nobody, elsewhere = await asyncio.gather(
            said(plant, "write", "boiler.setpoint=461", "--as", "operator-1", "--key", str(stranger)),
            said(plant, "write", "boiler.setpoint=462"),
            said(plant, "write", "turbine.load=1", *signed),
        )
        told = (done, forged, nobody, elsewhere)
        outcomes = [each.out.partition(":")[0].splitlines()[0] for each in told]
        forbidden = "refused (forbidden)"
        assert outcomes == ["applied", "refused (unauthenticated)", forbidden, forbidden], told
        assert plant.boiler.writes == [setpoint(460)]
        shown = await plantgate("audit", "show", str(plant.daemon.state), "--kind", "intent", "--json")
        assert json.loads(shown.out)["principal"] == "operator-1"


def make_key(file: Path) -> None:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)], check=True, capture_output=True)
    file.chmod(0o600)


def public_key(file: Path) -> str:
    made = subprocess.run(["openssl", "pkey", "-in", str(file), "-pubout"], check=True, capture_output=True).stdout
    return made.decode().splitlines()[1]
