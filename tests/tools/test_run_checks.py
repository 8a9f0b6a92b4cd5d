"""The runner of the checks: what a machine lacks is counted as not run."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_tensorrt import _C

ROOT = Path(__file__).parents[2]
BUILD = Path(_C.__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("run_checks", ROOT / "tools" / "run_checks.py")
    assert spec
    assert spec.loader
    # Where the module's dataclasses look for their annotations.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_last_line_with_counts_is_the_one(tool: Any) -> None:
    said = "1 passed\nskipped 5: no GPU\n7 passed, 2 failed, 1 error, 3 skipped, 4 xfailed in 2s\n"
    assert str(tool.read_counts(said)) == "7 passed, 3 failed, 7 skipped"
    assert tool.read_counts("nothing was counted") is None


def test_a_missing_program_counts_as_skipped(tool: Any, capsys: pytest.CaptureFixture) -> None:
    counts = tool.run(tool.Check("it", [BUILD / "bin" / "absent"], counts=True, missing="no SDK"))
    assert str(counts) == "0 passed, 0 failed, 1 skipped"
    assert "not run: no SDK" in capsys.readouterr().out


def prints(tool: Any, name: str, text: str, **more: Any) -> Any:
    return tool.Check(name, [sys.executable, "-c", f"print({text!r})"], counts=True, **more)


def test_checks_beside_each_other_are_told_apart(
    tool: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = [prints(tool, "b", "2 passed"), prints(tool, "c", "3 failed")]
    ended = tool.run_with_those_beside(prints(tool, "a", "1 passed", beside=beside))
    assert [(one.name, str(counts)) for one, counts, _ in ended] == [
        ("a", "1 passed, 0 failed, 0 skipped"),
        ("b", "2 passed, 0 failed, 0 skipped"),
        ("c", "0 passed, 3 failed, 0 skipped"),
    ]
    said = " ".join(capsys.readouterr().out.split())
    assert said == "==== a 1 passed ==== b 2 passed ==== c 3 failed"


def test_every_python_test_is_in_one_run(tool: Any) -> None:
    both = [folder for half in tool.HALVES_OF_PYTHON_TESTS for folder in half]
    assert all((ROOT / folder).is_dir() for folder in both)
    ops, alone = tool.python_checks(cores=4)
    (models,) = ops.beside
    assert sorted([*ops.command[4:], *models.command[4:]]) == sorted(
        [*both, "--torch-threads=2", "--torch-threads=2"]
    )
    assert alone.command[4:] == [*(f"--ignore={folder}" for folder in both), "tests"]
    (single,) = tool.python_checks(cores=1)
    assert single.command[4:] == ["tests"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("name", ["engine conformance", "benchmark"])
def test_without_a_gpu_nothing_passes(
    tool: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not tool.has_gpu()
    (check,) = (check for check in tool.gpu_checks(BUILD) if check.name == name)
    counts = tool.run(check)
    assert (counts.passed, counts.failed) == (0, 0)
    assert counts.skipped > 0
    said = capsys.readouterr().out
    assert "no NVIDIA GPU is here" in said or "does not run on CUDA here" in said


def test_the_gpus_target_installs_nothing_where_asked_not_to() -> None:
    made = subprocess.run(
        ["make", "-n", "test-gpu", "SYSTEM=1", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"{sys.executable} tools/run_checks.py gpu --build build-system" in made
    assert "pip" not in made
    assert ".venv/stamp" not in made
