"""Small helpers under upstream's names, for converters that were written with them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
import torch

from torch_tensorrt._Input import kind_of
from torch_tensorrt.dynamo.conversion._context import ConversionContext
from torch_tensorrt.dynamo.conversion._enums import DataType
from torch_tensorrt.dynamo.conversion._layer import ILayer, ITensor, as_torch
from torch_tensorrt.dynamo.conversion._writer import positive_axis


def set_layer_name(layer: ILayer, target: Any, name: str, source_ir: Any = None) -> None:
    """Names a layer after the op and the place that it comes from."""
    del source_ir
    layer.name = f"{name} ({target})"


def get_trt_tensor(
    ctx: ConversionContext, input_val: Any, name: str, dtype: Any = None, min_rank: int = 0
) -> ITensor:
    """`input_val` as a tensor: itself, or a constant of `dtype` with at least `min_rank` axes."""
    if isinstance(input_val, ITensor):
        return input_val
    data = as_torch(input_val)
    if dtype is not None:
        data = data.to(DataType.of(dtype).torch)
    data = data.reshape([1] * (min_rank - data.dim()) + list(data.shape))
    layer = ctx.net.add_constant(data.shape, data)
    layer.name = name
    return layer.get_output(0)


def cast_trt_tensor(
    ctx: ConversionContext,
    input_val: ITensor,
    dtype: Any,
    name: str,
    target: Any = "",
    source_ir: Any = None,
) -> ITensor:
    """The tensor in another type; itself where it has that type."""
    if input_val.dtype == DataType.of(dtype):
        return input_val
    layer = ctx.net.add_cast(input_val, dtype)
    set_layer_name(layer, target, name, source_ir)
    return layer.get_output(0)


def prepend_ones(ctx: ConversionContext, tensor: Any, name: str, num_prepend_ones: int) -> ITensor:
    """The tensor with that many axes of size 1 in front."""
    value = get_trt_tensor(ctx, tensor, name)
    if num_prepend_ones <= 0:
        return value
    layer = ctx.net.add_unsqueeze(value, list(range(num_prepend_ones)))
    layer.name = name
    return layer.get_output(0)


def broadcast(
    ctx: ConversionContext, a: ITensor, b: ITensor, a_name: str, b_name: str
) -> tuple[ITensor, ITensor]:
    """Both tensors with the larger of their ranks."""
    rank = max(a.rank, b.rank)
    first = prepend_ones(ctx, a, f"{a_name}_broadcast", rank - a.rank)
    return first, prepend_ones(ctx, b, f"{b_name}_broadcast", rank - b.rank)


@overload
def get_positive_dim(dim: int, dim_size: int) -> int: ...
@overload
def get_positive_dim(dim: Sequence[int], dim_size: int) -> tuple[int, ...]: ...
def get_positive_dim(dim: int | Sequence[int], dim_size: int) -> int | tuple[int, ...]:
    """Axes counted from the front.

    >>> get_positive_dim(-1, 4), get_positive_dim((0, -2), 4)
    (3, (0, 2))
    """
    if isinstance(dim, int):
        return positive_axis(dim, dim_size)
    return tuple(positive_axis(axis, dim_size) for axis in dim)


def get_axes_for_reduce_op(dim: int | Sequence[int]) -> int:
    """The bits of axes, as reduce, softmax and top-k layers take them.

    >>> get_axes_for_reduce_op((0, 2))
    5
    """
    axes = [dim] if isinstance(dim, int) else dim
    return sum(1 << axis for axis in set(axes))


def has_dynamic_shape(shape: Sequence[int]) -> bool:
    """Is a size known only at run time?"""
    return any(size == -1 for size in shape)


def to_torch(value: Any, dtype: torch.dtype | None = None) -> torch.Tensor | None:
    """Weights, an array or numbers as a tensor; None stays None."""
    return None if value is None else as_torch(value).to(dtype)


def to_numpy(value: Any, dtype: Any = None) -> Any:
    """Weights, a tensor or numbers as an array; None stays None."""
    return None if value is None else as_torch(value).numpy().astype(dtype, copy=False)


def args_bounds_check(args: Sequence[Any], i: int, replacement: Any = None) -> Any:
    """args[i], or `replacement` where it is missing or None."""
    return args[i] if len(args) > i and args[i] is not None else replacement


def enforce_tensor_types(
    type_dictionary: dict[int | str, tuple[type, ...]], promote: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a converter whose arguments must have certain types.

    Args:
        type_dictionary: by position or name, some of np.ndarray, torch.Tensor and trt.ITensor.
        promote: turn an argument of another type into the first one; False raises TypeError.
    """

    def decorate(converter: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(converter)
        def call(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
            positional, named = list(args), dict(kwargs)
            for key, kinds in type_dictionary.items():
                place: Any = positional if isinstance(key, int) else named
                absent = key >= len(positional) if isinstance(key, int) else key not in named
                if absent or place[key] is None or isinstance(place[key], kinds):
                    continue
                if not promote:
                    expected = " or ".join(kind.__name__ for kind in kinds)
                    raise TypeError(f"argument {key} is {kind_of(place[key])}, expected {expected}")
                place[key] = _as_type(ctx, place[key], kinds[0], f"{name}_{key}")
            return converter(ctx, target, tuple(positional), named, name)

        return call

    return decorate


def _as_type(ctx: ConversionContext, value: Any, kind: type, name: str) -> Any:
    if kind is ITensor:
        return get_trt_tensor(ctx, value, name)
    return to_numpy(value) if kind is np.ndarray else to_torch(value)
