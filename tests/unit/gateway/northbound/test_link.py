"""Pauses between attempts to connect, and what the link needs from libraries that did not promise it."""

import random

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client as PahoClient

from gateway.northbound.link import FIRST_PAUSE, next_pause
from gateway.northbound.session import Session


@given(st.integers(), st.floats(1.0, 300.0))
def test_pauses_stay_between_a_second_and_the_longest_allowed(seed: int, longest: float) -> None:
    rng, pause = random.Random(seed), FIRST_PAUSE
    for _ in range(50):
        pause = next_pause(pause, longest, rng)
        assert FIRST_PAUSE <= pause <= longest


def test_pauses_grow_and_differ_between_gateways() -> None:
    def pauses(seed: int) -> list[float]:
        rng, pause, found = random.Random(seed), FIRST_PAUSE, []
        for _ in range(100):
            pause = next_pause(pause, 30.0, rng)
            found.append(pause)
        return found

    assert len({pauses(seed)[0] for seed in range(100)}) == 100
    assert max(pauses(seed)[0] for seed in range(100)) <= 3 * FIRST_PAUSE
    assert sum(sum(pauses(seed)[10:]) for seed in range(20)) / (20 * 90) > 10.0


@pytest.mark.parametrize("hook", sorted(name for name in vars(Session) if name.startswith("_on_")))
def test_aiomqtt_still_has_the_hooks_that_a_session_overrides(hook: str) -> None:
    assert callable(getattr(aiomqtt.Client, hook))


def test_aiomqtt_still_connects_by_the_method_that_a_session_calls() -> None:
    assert callable(aiomqtt.Client._client_connect)


def test_paho_still_makes_its_socket_where_a_session_puts_the_wire() -> None:
    assert callable(PahoClient._create_socket)
    assert "_create_socket" in PahoClient.reconnect.__code__.co_names
