"""Functions of one tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch_tensorrt.dynamo.conversion._context import ConversionContext
from torch_tensorrt.dynamo.conversion._enums import DataType, UnaryOperation
from torch_tensorrt.dynamo.conversion._layer import ITensor
from torch_tensorrt.dynamo.conversion.converter_utils import cast_trt_tensor, get_trt_tensor

_Op = UnaryOperation
_KEEPING_INTEGERS = (_Op.ABS, _Op.NEG, _Op.SIGN, _Op.NOT)


def convert_unary(
    ctx: ConversionContext,
    target: Any,
    source_ir: Any,
    name: str,
    operation_type: Any,
    input_val: Any,
) -> ITensor:
    """Any unary function that TensorRT has; integers become FLOAT where it needs floats."""
    operation = UnaryOperation.of(operation_type)
    tensor = get_trt_tensor(ctx, input_val, name)
    if operation not in _KEEPING_INTEGERS and not tensor.dtype.is_float:
        tensor = cast_trt_tensor(ctx, tensor, DataType.FLOAT, f"{name}_cast", target, source_ir)
    layer = ctx.net.add_unary(tensor, operation)
    layer.name = name
    return layer.get_output(0)


def _function(
    operation: UnaryOperation,
) -> Callable[[ConversionContext, Any, Any, str, Any], ITensor]:
    def function(
        ctx: ConversionContext, target: Any, source_ir: Any, name: str, input_val: Any
    ) -> ITensor:
        return convert_unary(ctx, target, source_ir, name, operation, input_val)

    return function


exp = _function(_Op.EXP)
log = _function(_Op.LOG)
sqrt = _function(_Op.SQRT)
recip = _function(_Op.RECIP)
abs = _function(_Op.ABS)
neg = _function(_Op.NEG)
sign = _function(_Op.SIGN)
sin = _function(_Op.SIN)
cos = _function(_Op.COS)
tan = _function(_Op.TAN)
sinh = _function(_Op.SINH)
cosh = _function(_Op.COSH)
asin = _function(_Op.ASIN)
acos = _function(_Op.ACOS)
atan = _function(_Op.ATAN)
asinh = _function(_Op.ASINH)
acosh = _function(_Op.ACOSH)
atanh = _function(_Op.ATANH)
ceil = _function(_Op.CEIL)
floor = _function(_Op.FLOOR)
round = _function(_Op.ROUND)
erf = _function(_Op.ERF)
isinf = _function(_Op.ISINF)
isnan = _function(_Op.ISNAN)
logical_not = _function(_Op.NOT)
