"""Modules that were compiled before, compiled once more: engines stay what they are."""

from pathlib import Path

import pytest
import torch
import torch_tensorrt
from e2e.checks import engines
from torch import nn


class TwoParts(nn.Module):
    """Two groups of layers around an op that was left out the first time."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.sigmoid(self.first(x))
        return self.second(torch.tanh(y)), y * 2


@pytest.fixture
def compiled() -> torch.jit.ScriptModule:
    return torch_tensorrt.ts.compile(
        torch.jit.script(TwoParts().eval()),
        inputs=[torch_tensorrt.Input((3, 4))],
        torch_executed_ops={"aten::tanh"},
        min_block_size=1,
    )


@pytest.mark.parametrize("from_file", [False, True])
def test_engines_stay_and_the_rest_is_compiled(
    compiled: torch.jit.ScriptModule, from_file: bool, tmp_path: Path
) -> None:
    x = torch.randn(3, 4)
    if from_file:
        compiled.save(str(tmp_path / "once.ts"))
        compiled = torch.jit.load(str(tmp_path / "once.ts"))
    again = torch_tensorrt.ts.compile(
        compiled, inputs=[torch_tensorrt.Input((3, 4))], min_block_size=1
    )
    assert engines(compiled) == 2
    assert engines(again) == 1  # the tanh between the other two
    assert {node["reason"] for node in torch_tensorrt.report(again).in_pytorch} == {
        "it is an engine already"
    }
    again.save(str(tmp_path / "twice.ts"))
    for module in (again, torch.jit.load(str(tmp_path / "twice.ts"))):
        torch.testing.assert_close(module(x), TwoParts().eval()(x))


def test_nothing_left_to_compile(compiled: torch.jit.ScriptModule) -> None:
    again = torch_tensorrt.ts.compile(
        compiled,
        inputs=[torch_tensorrt.Input((3, 4))],
        torch_executed_ops={"aten::tanh"},
        min_block_size=1,
    )
    x = torch.randn(3, 4)
    assert engines(again) == 0
    torch.testing.assert_close(again(x), TwoParts().eval()(x))
