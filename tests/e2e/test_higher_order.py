"""Functions that operators take: vmap, flex_attention, regions and checkpoints."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine
from torch import nn
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.utils.checkpoint import checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


class Called(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


class Attention(nn.Module):
    """Causal, with a bias by head that the module holds."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.qkv = nn.Linear(32, 96)
        self.register_buffer("slope", torch.tensor([0.5, 0.25]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, 2, 16)).permute(2, 0, 3, 1, 4)
        causal = create_block_mask(
            lambda b, h, i, j: i >= j, None, None, x.shape[1], x.shape[1], device="cpu"
        )
        return flex_attention(
            q, k, v, lambda score, b, h, i, j: score + self.slope[h] * (j - i), causal
        )


@torch.compiler.nested_compile_region
def region(x: torch.Tensor) -> torch.Tensor:
    return x.sin() * 2


MODELS = {
    "vmap": Called(lambda x: torch.vmap(lambda row: row.softmax(0).cumsum(1))(x)),
    "nested vmap": Called(lambda x: torch.vmap(torch.vmap(torch.dot))(x, x + 1)),
    "flex_attention": Attention(),
    "region": Called(lambda x: region(x) + region(x)),
    "checkpoint": Called(lambda x: checkpoint(lambda y: y.sin() + 1, x, use_reentrant=False)),
}


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_one_engine(name: str) -> None:
    model, x = MODELS[name].eval(), torch.rand(2, 128, 32)
    fast = torch_tensorrt.compile(model, inputs=[x], min_block_size=1)
    assert_one_engine(fast, "openvino")
    assert_close(fast(x), model(x))
    # Dynamo has seen the functions with the fixed size now.
    batch = torch_tensorrt.Input(
        min_shape=(1, 128, 32), opt_shape=(2, 128, 32), max_shape=(4, 128, 32)
    )
    fast = torch_tensorrt.compile(model, inputs=[batch], min_block_size=1)
    assert_one_engine(fast, "openvino")
    for size in (1, 3, 4):
        x = torch.rand(size, 128, 32)
        assert_close(fast(x), model(x))
