"""Ops that have no converter, one for the first of them, and a way to compile them."""

from __future__ import annotations

from typing import Any

import torch
import torch_tensorrt
from torch import nn
from torch_tensorrt.dynamo.conversion import ConversionContext, trt

X = torch.linspace(-2, 3, 12).reshape(3, 4)
DYNAMIC = torch_tensorrt.Input(min_shape=(1, 4), opt_shape=(3, 4), max_shape=(6, 4))


@torch.library.custom_op("user_converters::gate", mutates_args=())
def gate(x: torch.Tensor, slope: float = 2.0, *, negate: bool = False) -> torch.Tensor:
    y = x * torch.sigmoid(x * slope)
    return -y if negate else y


@gate.register_fake
def _(x: torch.Tensor, slope: float = 2.0, *, negate: bool = False) -> torch.Tensor:
    return torch.empty_like(x)


@torch.library.custom_op("user_converters::ends", mutates_args=())
def ends(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.amin(1), x.argmax(1)


@ends.register_fake
def _(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.new_empty(x.shape[0]), x.new_empty(x.shape[0], dtype=torch.int64)


GATE, ENDS = torch.ops.user_converters.gate.default, torch.ops.user_converters.ends.default


class Model(nn.Module):
    """A module of one function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(x)


def compiled(function: Any, x: Any = X, engine: str = "reference", **settings: Any) -> Any:
    settings.setdefault("min_block_size", 1)
    program = torch_tensorrt.dynamo.trace(Model(function), inputs=[x])
    return torch_tensorrt.dynamo.compile(program, inputs=[x], engine=engine, **settings)


def gated(x: torch.Tensor) -> torch.Tensor:
    return gate(torch.relu(x), 1.5)


def gate_converter(
    ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str
) -> trt.ITensor:
    scaled = ctx.net.add_elementwise(args[0], args[1], trt.ElementWiseOperation.PROD)
    layer = ctx.net.add_activation(scaled.get_output(0), trt.ActivationType.SIGMOID)
    layer.name = name
    y = ctx.net.add_elementwise(args[0], layer.get_output(0), trt.ElementWiseOperation.PROD)
    if not kwargs["negate"]:
        return y.get_output(0)
    return ctx.net.add_unary(y.get_output(0), trt.UnaryOperation.NEG).get_output(0)
