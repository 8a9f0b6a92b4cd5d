"""What all add_* methods share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from torch_tensorrt import _C
from torch_tensorrt._Input import kind_of
from torch_tensorrt.dynamo.conversion._enums import elements, real
from torch_tensorrt.dynamo.conversion._layer import (
    ILayer,
    ITensor,
    Weights,
    as_torch,
)
from torch_tensorrt.dynamo.conversion._writer import Value, Writer

L = TypeVar("L", bound=ILayer)


def operands(method: str, inputs: Any) -> list[Any]:
    """The operands of a layer that takes any number.

    Raises:
        TypeError: it is no list.
        ValueError: it is empty.
    """
    try:
        given = elements(inputs, "tensors")
    except TypeError as error:
        raise TypeError(f"{method}: inputs: {error}") from None
    if not given:
        raise ValueError(f"{method}: inputs is empty, expected at least one tensor")
    return given


class NetworkBase:
    """A network under construction, for one converter's call.

    Args:
        builder: of the compiler.

    Attributes:
        result_types: dtype and sizes of the op's results, None where not known; a size is a number,
            or min, opt and max.
    """

    result_types: Sequence[tuple[str, tuple[Any, ...]] | None] = ()

    def __init__(self, builder: _C.NetworkBuilder) -> None:
        self._writer: Writer | None = Writer(builder)
        self._layers: list[ILayer] = []

    @property
    def writer(self) -> Writer:
        """Writes the Network's layers; for the layers of this package."""
        if self._writer is None:
            raise RuntimeError(
                "the converter has returned and its network is finished; tensors and ctx.net live "
                "only during the call"
            )
        return self._writer

    def close(self) -> None:
        """Ends the life of its tensors."""
        self._writer = None

    @property
    def num_layers(self) -> int:
        """Number of layers added in this call."""
        return len(self._layers)

    def get_layer(self, index: int) -> ILayer:
        """A layer added in this call.

        Raises:
            IndexError: fewer were added.
        """
        count = len(self._layers)
        if not 0 <= index < count:
            expected = f"0..{count - 1}" if count else "none: none was added"
            raise IndexError(f"there is no layer {index}, expected {expected}")
        return self._layers[index]

    def tensor(self, value: Any, what: str = "operand") -> ITensor:
        """`value` as a tensor: itself, or a constant of an array, a tensor, a number or a list.

        Raises:
            TypeError: it is none of those; the message begins with `what`.
        """
        if isinstance(value, ITensor):
            return value
        if isinstance(value, Value):
            return ITensor(self, value, name=f"%{value.id}")
        try:
            data = as_torch(value)
        except TypeError:
            raise TypeError(
                f"{what} is {kind_of(value)}, expected a tensor of ctx.net, or a constant: "
                "a torch.Tensor, an array or numbers"
            ) from None
        return self._constant(data)

    def _constant(self, data: torch.Tensor) -> ITensor:
        from torch_tensorrt.dynamo.conversion._pointwise import IConstantLayer

        layer = IConstantLayer(self, shape=data.shape, weights=Weights(data))
        return self._added(layer).get_output(0)

    def _added(self, layer: L) -> L:
        if "name" not in layer.__dict__:
            layer.name = str(len(self._layers))
        self._layers.append(layer)
        return layer

    def _paired(self, first: Any, second: Any) -> tuple[Any, Any]:
        """A number beside a tensor takes its type and rank."""
        return self._like(first, second), self._like(second, first)

    def _like(self, value: Any, other: Any) -> Any:
        is_number = isinstance(value, bool | int | float | np.generic)
        if not is_number or not isinstance(other, ITensor):
            return value
        number = value.item() if isinstance(value, np.generic) else value
        if type(number) is int and other.dtype.is_float:
            number = real(number)
        if isinstance(number, float) and not other.dtype.is_float:
            kind = other.dtype.name
            raise ValueError(f"{number} is paired with a tensor of {kind}, expected an int")
        try:
            data = torch.full([1] * other.rank, number, dtype=other.dtype.torch)
        except (RuntimeError, OverflowError):
            raise ValueError(
                f"{number} is paired with a tensor of {other.dtype.name}, expected a number in its "
                "range"
            ) from None
        return self._constant(data)
