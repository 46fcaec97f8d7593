"""The plant of the scenarios: its processes take seconds to start, so they are started once for all."""

from collections.abc import Iterator

import pytest

from tests.scenarios.boiler_house import BoilerHouse


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoilerHouse]:
    """The boiler house; what the test before left, running or not."""
    house = BoilerHouse(tmp_path_factory.mktemp("plant"))
    yield house
    house.close()
