"""Memory stays what it was, however long a process compiles and calls."""

import re

import pytest
from load.children import Children
from load.memory import calls, calls_without_memory, compiles, exports

CALL = 1024  # bytes a call, in the second half of many
COMPILATIONS = 5.0  # megabytes that all compilations together leave behind
LIMIT = 900  # seconds


def test_calls_with_random_shapes(children: Children, long: bool) -> None:
    assert children.result(calls, 10000 if long else 2000, False, timeout=LIMIT) <= CALL


def test_calls_find_a_leak(children: Children) -> None:
    assert children.result(calls, 2000, True, timeout=LIMIT) > CALL


@pytest.mark.parametrize("frontend", ["ts", "dynamo"])
def test_compilations(frontend: str, children: Children, long: bool) -> None:
    count = 200 if long else 40
    growth = children.result(compiles, count, frontend, False, timeout=LIMIT)
    if frontend == "dynamo":
        growth -= children.result(exports, count, timeout=LIMIT)
    assert growth <= COMPILATIONS


def test_compilations_find_a_leak(children: Children) -> None:
    assert children.result(compiles, 40, "ts", True, timeout=LIMIT) > COMPILATIONS


@pytest.mark.parametrize("frontend", ["ts", "dynamo"])
@pytest.mark.parametrize("engine", ["openvino", "reference"])
@pytest.mark.parametrize("left_out", [[], ["aten::relu"]], ids=["one_engine", "two_engines"])
def test_a_call_that_lacks_memory_raises_and_the_next_one_works(
    frontend: str, engine: str, left_out: list[str], children: Children
) -> None:
    settings = {"engine": engine, "torch_executed_ops": left_out}
    raised = children.result(calls_without_memory, frontend, settings)
    assert len(raised) == 3
    text = "openvino failed while running the engine: .*the next call loads the engine anew"
    if engine == "reference":
        text = "memory|bad_alloc"
    assert all(re.search(text, message, re.DOTALL) for message in raised), raised
