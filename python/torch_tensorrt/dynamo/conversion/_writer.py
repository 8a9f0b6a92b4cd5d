"""Writes layers of the Network; sizes are numbers where known, host scalars otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch_tensorrt import _C

Value = _C.Value
Size = int | _C.Value

_FOLDED: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floor_div": lambda a, b: a // b,
    "max": max,
    "min": min,
}


class Writer:
    """The builder of one Network, with what conversions need most.

    Args:
        builder: of the compiler.
    """

    def __init__(self, builder: _C.NetworkBuilder) -> None:
        self._builder = builder

    def add(self, kind: str, *inputs: Value | None, **attributes: Any) -> list[Value]:
        """A layer of that kind; its results."""
        return self._builder.add(kind, list(inputs), attributes)

    def one(self, kind: str, *inputs: Value | None, **attributes: Any) -> Value:
        """A layer of that kind; its only result."""
        (result,) = self.add(kind, *inputs, **attributes)
        return result

    # ---- constants ----

    def constant(self, tensor: torch.Tensor) -> Value:
        """The tensor's data; float64 becomes float32."""
        return self._builder.constant(tensor)

    def number(self, value: float, like: Value) -> Value:
        """A constant of one element that pairs with `like`: its dtype and rank."""
        shape = [1] * len(like.shape)
        return self.constant(torch.full(shape, value, dtype=torch_dtype(like)))

    def scalar(self, value: float, dtype: torch.dtype = torch.int64) -> Value:
        """A constant of rank 0."""
        return self.constant(torch.tensor(value, dtype=dtype))

    # ---- pointwise ----

    def binary(self, op: str, a: Value, b: Value) -> Value:
        """Arithmetic on operands of one dtype and rank."""
        return self.one("binary", a, b, op=op)

    def cast(self, x: Value, dtype: str) -> Value:
        """The value in that dtype; itself where it has it."""
        return x if x.dtype == dtype else self.one("cast", x, to=dtype)

    # ---- sizes ----

    def size(self, x: Value, axis: int) -> Size:
        """A dimension of x."""
        known = x.shape[axis]
        return known if known >= 0 else self._builder.size(x, axis)

    def sizes(self, x: Value) -> list[Size]:
        """All dimensions of x."""
        return [self.size(x, axis) for axis in range(len(x.shape))]

    def host(self, op: str, a: Size, b: Size) -> Size:
        """Arithmetic on sizes."""
        if isinstance(a, int) and isinstance(b, int):
            size = _FOLDED[op](a, b)
            if not -(2**63) <= size < 2**63:
                raise ValueError(f"a size would be {size}, expected one of 64 bits")
            return size
        return self.binary(op, self.as_value(a), self.as_value(b))

    def as_value(self, size: Size) -> Value:
        """A size as an i64 scalar."""
        return self.scalar(size) if isinstance(size, int) else size

    def vector(self, sizes: Sequence[Size]) -> Value:
        """Sizes as one i64 vector."""
        parts: list[Value] = []
        numbers: list[int] = []
        for size in [*sizes, None]:
            if isinstance(size, int):
                numbers.append(size)
                continue
            if numbers or (size is None and not parts):
                parts.append(self.constant(torch.tensor(numbers, dtype=torch.int64)))
                numbers = []
            if size is not None:
                parts.append(self.one("unsqueeze", size, axes=[0]))
        return parts[0] if len(parts) == 1 else self.one("concat", *parts, axis=0)

    def check_vector(self, vector: Value, name: str, count: int | None = None) -> None:
        """Raises ValueError unless it is an integer vector, of `count` elements where given."""
        shape = vector.shape
        fits = len(shape) == 1 and (count is None or shape[0] in (-1, count))
        if vector.dtype not in ("i32", "i64") or not fits:
            ints = "ints" if count is None else f"{count} ints"
            raise ValueError(
                f"{name} is {vector.dtype} of shape {shape}, expected a vector of {ints}"
            )

    def elements(self, vector: Value, name: str, count: int | None = None) -> list[Size]:
        """The elements of an integer vector of static length as sizes; errors begin with `name`."""
        self.check_vector(vector, name, count)
        length = static(vector.shape[0], "the length of a vector of sizes")
        vector = self.cast(vector, "i64")
        return [self.one("gather", vector, self.scalar(i), axis=0) for i in range(length)]

    # ---- layout ----

    def reshape(self, x: Value, shape: Sequence[Size]) -> Value:
        """The same elements in these sizes; -1 is inferred."""
        return self.one("reshape", x, self.vector(shape))

    def squeeze(self, x: Value, *axes: int) -> Value:
        """Leaves out axes of size 1."""
        return self.one("squeeze", x, axes=list(axes)) if axes else x

    def unsqueeze(self, x: Value, *axes: int) -> Value:
        """Adds axes of size 1 at these positions of the result."""
        return self.one("unsqueeze", x, axes=list(axes)) if axes else x

    def as_scalar(self, x: Value) -> Value:
        """One element without its dimensions."""
        return self.squeeze(x, *range(len(x.shape)))


def torch_dtype(value: Value) -> torch.dtype:
    """The dtype of a value as PyTorch's."""
    from torch_tensorrt.dynamo.conversion._enums import DataType

    return DataType(value.dtype).torch


def static(size: int, what: str) -> int:
    """The size, which must not be dynamic.

    Raises:
        NotImplementedError: it is; the message says `what` must be known.
    """
    if size < 0:
        raise NotImplementedError(f"{what} is dynamic, expected a size known at compile time")
    return size


def positive_axis(axis: int, rank: int) -> int:
    """The axis counted from the front.

    Raises:
        ValueError: there is no such axis.
    """
    if not rank:
        raise ValueError(f"axis is {axis} for a scalar, expected a tensor with axes")
    if not -rank <= axis < rank:
        raise ValueError(f"axis is {axis}, expected {-rank}..{rank - 1}")
    return axis % rank


def axes_of(mask: int, rank: int) -> list[int]:
    """The axes whose bits are set.

    >>> axes_of(0b101, 3)
    [0, 2]

    Raises:
        ValueError: none is, or one is beyond the rank.
    """
    if not rank:
        raise ValueError(f"axes is {mask:#b} for a scalar, expected a tensor with axes")
    if not 0 < mask < 1 << rank:
        raise ValueError(f"axes is {mask:#b}, expected a bit for at least one of {rank} axes")
    return [axis for axis in range(rank) if mask >> axis & 1]


def one_axis_of(mask: int, rank: int) -> int:
    """The only axis whose bit is set.

    Raises:
        ValueError: several are, or none.
    """
    axes = axes_of(mask, rank)
    if len(axes) != 1:
        raise ValueError(f"axes is {mask:#b}, expected one bit")
    return axes[0]
