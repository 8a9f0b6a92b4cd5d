"""Activations of one tensor; `alpha` and `beta` have the names that PyTorch's functions explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch_tensorrt.dynamo.conversion._context import ConversionContext
from torch_tensorrt.dynamo.conversion._enums import ActivationType
from torch_tensorrt.dynamo.conversion._layer import ITensor

_Type = ActivationType


def convert_activation(
    ctx: ConversionContext,
    target: Any,
    source_ir: Any,
    name: str,
    operation_type: Any,
    input_val: Any,
    alpha: float | None = None,
    beta: float | None = None,
) -> ITensor:
    """Any activation that TensorRT has, with its own parameters where none are given."""
    del target, source_ir
    layer = ctx.net.add_activation(input_val, operation_type)
    layer.name = name
    if alpha is not None:
        layer.alpha = alpha
    if beta is not None:
        layer.beta = beta
    return layer.get_output(0)


def _plain(kind: ActivationType) -> Callable[[ConversionContext, Any, Any, str, Any], ITensor]:
    def function(
        ctx: ConversionContext, target: Any, source_ir: Any, name: str, input_val: Any
    ) -> ITensor:
        return convert_activation(ctx, target, source_ir, name, kind, input_val)

    return function


relu = _plain(_Type.RELU)
sigmoid = _plain(_Type.SIGMOID)
tanh = _plain(_Type.TANH)
selu = _plain(_Type.SELU)
softsign = _plain(_Type.SOFTSIGN)


def leaky_relu(
    ctx: ConversionContext, target: Any, source_ir: Any, name: str, input_val: Any, alpha: float
) -> ITensor:
    """x, or alpha * x below zero."""
    return convert_activation(ctx, target, source_ir, name, _Type.LEAKY_RELU, input_val, alpha)


def elu(
    ctx: ConversionContext, target: Any, source_ir: Any, name: str, input_val: Any, alpha: float
) -> ITensor:
    """x, or alpha * (e^x - 1) below zero."""
    return convert_activation(ctx, target, source_ir, name, _Type.ELU, input_val, alpha)


def softplus(
    ctx: ConversionContext, target: Any, source_ir: Any, name: str, input_val: Any, beta: float = 1
) -> ITensor:
    """log(1 + e^(beta x)) / beta."""
    kind = _Type.SOFTPLUS
    return convert_activation(ctx, target, source_ir, name, kind, input_val, 1 / beta, beta)


def hardtanh(
    ctx: ConversionContext,
    target: Any,
    source_ir: Any,
    name: str,
    input_val: Any,
    min_val: float,
    max_val: float,
) -> ITensor:
    """The operand within min_val..max_val."""
    kind = _Type.CLIP
    return convert_activation(ctx, target, source_ir, name, kind, input_val, min_val, max_val)


def hard_sigmoid(
    ctx: ConversionContext,
    target: Any,
    source_ir: Any,
    name: str,
    input_val: Any,
    alpha: float,
    beta: float,
) -> ITensor:
    """The line alpha * x + beta within 0..1."""
    kind = _Type.HARD_SIGMOID
    return convert_activation(ctx, target, source_ir, name, kind, input_val, alpha, beta)


def gelu(
    ctx: ConversionContext,
    target: Any,
    source_ir: Any,
    name: str,
    approximate: str,
    input_val: Any,
) -> ITensor:
    """Gaussian error linear unit; `approximate` is "none" or "tanh"."""
    kind = _Type.GELU_TANH if approximate == "tanh" else _Type.GELU_ERF
    return convert_activation(ctx, target, source_ir, name, kind, input_val)
