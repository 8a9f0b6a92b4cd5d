"""Memory stays what it was, however long a process compiles and calls."""

import pytest
from load.children import Children
from load.memory import calls, compiles

CALL = 1024  # bytes a call, in the second half of many
COMPILATIONS = 5.0  # megabytes that all compilations together leave behind
LIMIT = 900  # seconds


def test_calls_with_random_shapes(children: Children, long: bool) -> None:
    assert children.result(calls, 10000 if long else 2000, False, timeout=LIMIT) <= CALL


def test_calls_find_a_leak(children: Children) -> None:
    assert children.result(calls, 2000, True, timeout=LIMIT) > CALL


@pytest.mark.parametrize("frontend", ["ts", "dynamo"])
def test_compilations(frontend: str, children: Children, long: bool) -> None:
    growth = children.result(compiles, 200 if long else 40, frontend, False, timeout=LIMIT)
    assert growth <= COMPILATIONS


def test_compilations_find_a_leak(children: Children) -> None:
    assert children.result(compiles, 40, "ts", True, timeout=LIMIT) > COMPILATIONS
