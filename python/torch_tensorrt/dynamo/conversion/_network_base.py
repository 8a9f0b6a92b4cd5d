"""What all add_* methods share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from torch_tensorrt import _C
from torch_tensorrt.dynamo.conversion._layer import ILayer, ITensor, Weights, as_torch
from torch_tensorrt.dynamo.conversion._writer import Value, Writer

L = TypeVar("L", bound=ILayer)


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
        """A layer added in this call."""
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
                f"{what} is a {type(value).__name__}, expected a tensor of ctx.net, or a constant: "
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
        if isinstance(number, float) and not other.dtype.is_float:
            kind = other.dtype.name
            raise ValueError(f"{number} is paired with a tensor of {kind}, expected an int")
        return self._constant(torch.full([1] * other.rank, number, dtype=other.dtype.torch))
