"""Memory stays what it was, however long a process compiles and calls."""

import subprocess
import sys
from pathlib import Path

import pytest

CALL = 1024  # bytes a call, in the second half of many
COMPILATIONS = 5.0  # megabytes that all compilations together leave behind


def measured(*arguments: object) -> float:
    program = Path(__file__).parent / "memory.py"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return float(result.stdout)


def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


def test_calls_with_random_shapes(request: pytest.FixtureRequest) -> None:
    assert measured("calls", 10000 if is_long(request) else 2000) <= CALL


def test_calls_find_a_leak() -> None:
    assert measured("calls", 2000, "leak") > CALL


@pytest.mark.parametrize("frontend", ["ts", "dynamo"])
def test_compilations(frontend: str, request: pytest.FixtureRequest) -> None:
    assert measured("compiles", 200 if is_long(request) else 40, frontend) <= COMPILATIONS


def test_compilations_find_a_leak() -> None:
    assert measured("compiles", 40, "ts", "leak") > COMPILATIONS
