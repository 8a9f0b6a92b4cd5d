"""torch_tensorrt.runtime's modes: what they do on a GPU is tested in tests/gpu."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch_tensorrt
from torch import Tensor, nn
from torch_tensorrt import runtime


class TwoParts(nn.Module):
    """Two engines, with an op between them that stays in PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


def compiled(ir: str) -> Any:
    torch.manual_seed(0)
    return torch_tensorrt.compile(
        TwoParts().eval(),
        ir=ir,
        inputs=[torch.ones(2, 4)],
        min_block_size=1,
        torch_executed_ops={"aten::relu"},
    )


@pytest.mark.parametrize("ir", ["ts", "dynamo"])
def test_modes_keep_the_results(ir: str) -> None:
    module, x = compiled(ir), torch.rand(2, 4)
    assert len(runtime._modes.engines_of(module)) == 2
    expected = module(x)
    with runtime.enable_cudagraphs(module) as inside:
        assert inside is module
        assert runtime.get_cudagraphs_mode()
        torch.testing.assert_close(module(x), expected, rtol=0, atol=0)
    assert not runtime.get_cudagraphs_mode()
    with runtime.enable_pre_allocated_outputs(module):
        assert all(e.use_pre_allocated_outputs for e in runtime._modes.engines_of(module))
        torch.testing.assert_close(module(x), expected, rtol=0, atol=0)
    assert not any(e.use_pre_allocated_outputs for e in runtime._modes.engines_of(module))


def test_a_mode_is_put_back_after_an_error() -> None:
    module = compiled("dynamo")
    with pytest.raises(ZeroDivisionError), runtime.enable_cudagraphs(module):
        raise ZeroDivisionError
    assert not runtime.get_cudagraphs_mode()
    with pytest.raises(ZeroDivisionError), runtime.set_multi_device_safe_mode(True):
        raise ZeroDivisionError
    assert not torch.ops.tensorrt.get_multi_device_safe_mode()


def test_nothing_to_stream() -> None:
    module = compiled("dynamo")
    with runtime.weight_streaming(module) as weights:
        assert weights.total_device_budget == weights.device_budget == 0
        with pytest.raises(ValueError, match=r"device_budget is 1, expected 0\.\.0 bytes"):
            weights.device_budget = 1
    (engine, _) = runtime._modes.engines_of(module)
    with pytest.raises(NotImplementedError, match=r"has no weights to stream.*weight_streaming"):
        engine.device_memory_budget = 1
