"""Functions of two operands: tensors, arrays or numbers, of any rank, with PyTorch's promotion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch_tensorrt.dynamo.conversion._context import ConversionContext
from torch_tensorrt.dynamo.conversion._enums import DataType, ElementWiseOperation, UnaryOperation
from torch_tensorrt.dynamo.conversion._layer import ITensor
from torch_tensorrt.dynamo.conversion.converter_utils import (
    broadcast,
    cast_trt_tensor,
    get_trt_tensor,
)

Function = Callable[[ConversionContext, Any, Any, str, Any, Any], ITensor]
_Op = ElementWiseOperation


def _example(value: Any) -> Any:
    """What PyTorch's promotion sees of an operand."""
    if isinstance(value, ITensor):
        return torch.empty([1] * value.rank, dtype=value.dtype.torch)
    return value if isinstance(value, torch.Tensor | bool | int | float) else torch.as_tensor(value)


def _operation(*operations: ElementWiseOperation, fractions: bool = False) -> Function:
    """One operation, or several whose results are joined by OR."""

    def function(
        ctx: ConversionContext, target: Any, source_ir: Any, name: str, lhs_val: Any, rhs_val: Any
    ) -> ITensor:
        dtype = DataType.of(torch.result_type(_example(lhs_val), _example(rhs_val)))
        if fractions and not dtype.is_float:
            dtype = DataType.FLOAT
        operands = []
        for side, value in (("lhs", lhs_val), ("rhs", rhs_val)):
            tensor = get_trt_tensor(ctx, value, f"{name}_{side}", dtype)
            operands.append(cast_trt_tensor(ctx, tensor, dtype, f"{name}_{side}_cast", target))
        lhs, rhs = broadcast(ctx, operands[0], operands[1], f"{name}_lhs", f"{name}_rhs")
        results = []
        for operation in operations:
            layer = ctx.net.add_elementwise(lhs, rhs, operation)
            layer.name = name
            results.append(layer.get_output(0))
        if len(results) == 1:
            return results[0]
        return ctx.net.add_elementwise(results[0], results[1], _Op.OR).get_output(0)

    return function


add = _operation(_Op.SUM)
sub = _operation(_Op.SUB)
mul = _operation(_Op.PROD)
div = _operation(_Op.DIV, fractions=True)
floor_divide = _operation(_Op.FLOOR_DIV)
pow = _operation(_Op.POW)
max = _operation(_Op.MAX)
min = _operation(_Op.MIN)
logical_and = _operation(_Op.AND)
logical_or = _operation(_Op.OR)
logical_xor = _operation(_Op.XOR)
eq = _operation(_Op.EQUAL)
gt = _operation(_Op.GREATER)
lt = _operation(_Op.LESS)
ge = _operation(_Op.GREATER, _Op.EQUAL)
le = _operation(_Op.LESS, _Op.EQUAL)


def ne(
    ctx: ConversionContext, target: Any, source_ir: Any, name: str, lhs_val: Any, rhs_val: Any
) -> ITensor:
    """Where two operands differ."""
    equal = eq(ctx, target, source_ir, name, lhs_val, rhs_val)
    return ctx.net.add_unary(equal, UnaryOperation.NOT).get_output(0)
