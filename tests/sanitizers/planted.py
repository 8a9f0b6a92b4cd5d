"""Whether sanitizers see what happens in a library of ours beside PyTorch: each planted bug ends
its process with a report. Run by `make check-asan` and `make check-tsan`, never else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(os.environ["TORCHTRT_BUILD"]) / "bin" / "libtorchtrt_planted.so"
SANITIZER = os.environ["TORCHTRT_SANITIZER"]
LARGEST = 2**31 - 1

CALL = """
import ctypes, sys
import torch
library, function, argument = sys.argv[1:]
getattr(ctypes.CDLL(library), function)(int(argument))
"""

BUGS = {
    "asan": [
        ("planted_overflow", 4, "AddressSanitizer: heap-buffer-overflow"),
        ("planted_use_after_free", 4, "AddressSanitizer: heap-use-after-free"),
        ("planted_undefined", LARGEST, "runtime error: signed integer overflow"),
    ],
    "tsan": [("planted_race", 10000, "ThreadSanitizer: data race")],
}
HARMLESS = {"asan": ("planted_undefined", 1), "tsan": ("planted_race", 0)}


def call(function: str, argument: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CALL, str(LIBRARY), function, str(argument)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("function", "argument", "report"), BUGS[SANITIZER])
def test_a_planted_bug_is_reported(function: str, argument: int, report: str) -> None:
    ended = call(function, argument)
    assert ended.returncode != 0
    assert report in ended.stderr


def test_no_bug_is_no_report() -> None:
    ended = call(*HARMLESS[SANITIZER])
    assert (ended.returncode, ended.stderr) == (0, "")
