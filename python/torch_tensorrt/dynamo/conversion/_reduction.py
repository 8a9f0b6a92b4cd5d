"""Layers along axes: reductions, softmax, top-k, sums so far."""

from __future__ import annotations

from typing import Any

from torch_tensorrt.dynamo.conversion._enums import (
    CumulativeOperation,
    DataType,
    ReduceOperation,
    TopKOperation,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import (
    Value,
    Writer,
    axes_of,
    one_axis_of,
    positive_axis,
)


class IReduceLayer(ILayer):
    """One element for those along the axes whose bits are set."""

    op: ReduceOperation
    axes: int
    keep_dims: bool

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        axes = axes_of(self.axes, len(x.shape))
        return [write.one("reduce", x, op=self.op.value, axes=axes, keepdims=self.keep_dims)]


class ISoftMaxLayer(ILayer):
    """Softmax along the axis whose bit is set."""

    axes: int

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        return [write.one("softmax", x, axis=one_axis_of(self.axes, len(x.shape)))]


class ITopKLayer(ILayer):
    """The k first elements of the sorted ones, and where they were."""

    operands = ("input", "k")
    outputs = ("values", "indices")
    op: TopKOperation
    k: int
    axes: int
    indices_type: DataType

    def _emit(self, write: Writer) -> list[Value]:
        x, given = self._input(0), self._given(1)
        if given is not None and given.dtype not in ("i32", "i64"):
            raise ValueError(f"k is {given.dtype}, expected INT32 or INT64")
        k = write.scalar(self.k) if given is None else write.as_scalar(write.cast(given, "i64"))
        axis = one_axis_of(self.axes, len(x.shape))
        largest = self.op is TopKOperation.MAX
        values, indices = write.add("topk", x, k, axis=axis, largest=largest)
        return [values, write.cast(indices, self.indices_type.value)]


class ICumulativeLayer(ILayer):
    """Sums of the elements so far along an axis."""

    operands = ("input", "axis")
    op: CumulativeOperation
    exclusive: bool
    reverse: bool

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        axis = positive_axis(self._number(1), len(x.shape))
        return [write.one("cumsum", x, axis=axis, exclusive=self.exclusive, reverse=self.reverse)]


class ReductionMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_reduce(self, input: Any, op: Any, axes: int, keep_dims: bool) -> IReduceLayer:
        """One element for those along the axes whose bits are set in `axes`."""
        return self._added(IReduceLayer(self, input, op=op, axes=axes, keep_dims=keep_dims))

    def add_softmax(self, input: Any) -> ISoftMaxLayer:
        """Softmax; set `axes` to the axis's bit, TensorRT's default is no choice of anyone."""
        layer = ISoftMaxLayer(self, input)
        given = layer.get_input(0)
        layer.axes = 1 << max(0, given.rank - 3 if given is not None else 0)
        return self._added(layer)

    def add_topk(
        self, input: Any, op: Any, k: int, axes: int, indices_type: Any = DataType.INT32
    ) -> ITopKLayer:
        """The k largest or smallest along one axis, sorted, and their indices."""
        return self._added(
            ITopKLayer(self, input, op=op, k=k, axes=axes, indices_type=indices_type)
        )

    def add_cumulative(
        self, input: Any, axis: Any, op: Any, exclusive: bool, reverse: bool
    ) -> ICumulativeLayer:
        """Sums so far along `axis`, a constant."""
        return self._added(
            ICumulativeLayer(self, input, axis, op=op, exclusive=exclusive, reverse=reverse)
        )
