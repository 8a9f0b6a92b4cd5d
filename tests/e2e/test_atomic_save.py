"""torch_tensorrt.save replaces a file as a whole, whatever ends the process."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt

Save = Callable[[Any, Path], None]


def compiled(size: int) -> Any:
    torch.manual_seed(size)
    module = torch.nn.Sequential(torch.nn.Linear(size, size), torch.nn.ReLU()).eval()
    return torch_tensorrt.compile(module, inputs=[torch.ones(1, size)], min_block_size=1)


def save(module: Any, path: Path) -> None:
    torch_tensorrt.save(module, path, output_format="torchscript")


def save_over(module: torch.jit.ScriptModule, path: Path) -> None:
    """A planted bug: writes over the old file."""
    torch.jit.save(module, str(path))


def torn_files(saver: Save, modules: list[Any], path: Path, kills: int) -> int:
    """How often the file is neither of two, after a process that writes them was killed."""
    whole = set()
    for module in reversed(modules):
        saver(module, path)
        whole.add(path.read_bytes())
    assert len(whole) == 2, "equal modules, or files that differ from save to save"
    chosen, torn = random.Random(0), 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            while True:
                for module in modules:
                    saver(module, path)
        time.sleep(chosen.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        torn += path.read_bytes() not in whole
    return torn


@pytest.fixture(scope="module")
def modules() -> list[Any]:
    return [torch.jit.freeze(torch.jit.script(Scaled(size))) for size in (200, 300)]


class Scaled(torch.nn.Module):
    """Large enough that writing it takes a while."""

    def __init__(self, size: int) -> None:
        super().__init__()
        torch.manual_seed(size)
        self.weight = torch.nn.Parameter(torch.randn(size, 4 * size))
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight


def test_killed_saves_leave_no_torn_file(
    modules: list[Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = 200 if request.config.getoption("--long") else 40
    assert torn_files(save, modules, tmp_path / "model.ts", kills) == 0


def test_kills_find_a_save_that_writes_over_the_file(modules: list[Any], tmp_path: Path) -> None:
    assert torn_files(save_over, modules, tmp_path / "model.ts", 40) > 0


@pytest.mark.parametrize("form", ["torchscript", "exported_program"])
def test_a_save_leaves_one_file(form: str, tmp_path: Path) -> None:
    path = tmp_path / "fast.pt2"
    path.write_text("old")
    torch_tensorrt.save(compiled(8), path, output_format=form)
    assert [entry.name for entry in tmp_path.iterdir()] == ["fast.pt2"]
    x = torch.randn(1, 8)
    again = torch_tensorrt.load(path)
    run = again.module() if form == "exported_program" else again
    torch.testing.assert_close(run(x), compiled(8)(x))


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "fast.ts"
    path.write_text("old")
    with pytest.raises(TypeError):
        torch_tensorrt.save(
            compiled(8), path, output_format="torchscript", extra_files={"name": object()}
        )
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["fast.ts"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write '.*none/fast\.ts': No such file"):
        torch_tensorrt.save(compiled(8), tmp_path / "none" / "fast.ts")
