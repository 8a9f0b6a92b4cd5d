"""Converters in Python: one for an op of our own, one in the place of a built-in one.

The model caps its scores smoothly with an op that is registered with torch.library. Without a
converter that op stays in PyTorch and splits the engine in two; with one, the model is one engine.
"""

from __future__ import annotations

from typing import Any

import torch
import torch_tensorrt
from torch import nn
from torch_tensorrt.dynamo.conversion import (
    ConversionContext,
    ConverterPriority,
    dynamo_tensorrt_converter,
    trt,
)


@torch.library.custom_op("example::soft_cap", mutates_args=())
def soft_cap(x: torch.Tensor, limit: float) -> torch.Tensor:
    """Values within -limit..limit; small ones hardly change."""
    return limit * torch.tanh(x / limit)


@soft_cap.register_fake
def _(x: torch.Tensor, limit: float) -> torch.Tensor:
    return torch.empty_like(x)


class Scorer(nn.Module):
    """Two layers, scores, and how likely each is."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shares [N, 10] of features [N, 64]."""
        return torch.softmax(soft_cap(self.body(x), 5.0), -1)


def register_converters() -> None:
    @dynamo_tensorrt_converter(torch.ops.example.soft_cap.default, supports_dynamic_shapes=True)
    def convert_soft_cap(
        ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str
    ) -> trt.ITensor:
        x, limit = args
        layer = ctx.net.add_activation(x, trt.ActivationType.SCALED_TANH)
        layer.alpha, layer.beta, layer.name = limit, 1 / limit, name
        return layer.get_output(0)

    @dynamo_tensorrt_converter(
        torch.ops.aten.gelu.default,
        capability_validator=lambda node, settings: node.kwargs["approximate"] == "none",
        priority=ConverterPriority.HIGH,
        supports_dynamic_shapes=True,
    )
    def faster_gelu(
        ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str
    ) -> trt.ITensor:
        layer = ctx.net.add_activation(args[0], trt.ActivationType.GELU_TANH)
        layer.name = name
        return layer.get_output(0)


def show(title: str, module: nn.Module) -> None:
    print(f"\n{title}")
    print("  " + torch_tensorrt.report(module).text.strip().replace("\n", "\n  "))


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    model = Scorer().eval()
    batch = torch_tensorrt.Input(min_shape=(1, 64), opt_shape=(8, 64), max_shape=(32, 64))
    program = torch_tensorrt.dynamo.trace(model, inputs=[batch])

    split = torch_tensorrt.dynamo.compile(program, inputs=[batch], min_block_size=1)
    show("Without converters", split)
    register_converters()
    whole = torch_tensorrt.dynamo.compile(program, inputs=[batch], min_block_size=1)
    show("With both", whole)
    gelu = "gelu_tanh" in torch_tensorrt.report(whole).engines[0]["network"]

    x = torch.randn(8, 64)
    print("\nResult")
    print(f"  engines               {len(torch_tensorrt.report(split).engines)} -> ", end="")
    print(len(torch_tensorrt.report(whole).engines))
    print(f"  GELU                  {'by tanh, as our converter says' if gelu else 'built in'}")
    for label, module in (("exact GELU", split), ("GELU by tanh", whole)):
        difference = (module(x) - model(x)).abs().max().item()
        print(f"  {f'largest difference with {label}':<38} {difference:.1e}")


if __name__ == "__main__":
    main()
