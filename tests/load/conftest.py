"""Forms and processes of the load tests."""

from collections.abc import Iterator

import pytest
from load.children import Children


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether `make check-long` asks: the gates in the form that takes minutes."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with Children(tmp_path_factory.mktemp("children")) as started:
        yield started
