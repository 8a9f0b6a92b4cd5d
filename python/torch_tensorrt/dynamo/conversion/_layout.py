"""Layers that move elements: shuffle, slice, concatenation, shapes."""

from __future__ import annotations

import math
from typing import Any

from torch_tensorrt.dynamo.conversion._enums import Dims, Permutation
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase, operands
from torch_tensorrt.dynamo.conversion._writer import Size, Value, Writer, positive_axis


class IShuffleLayer(ILayer):
    """A transpose, a reshape and a transpose; each only where it is set."""

    operands = ("input", "reshape_dims")
    first_transpose: Permutation | None
    reshape_dims: Dims | None
    second_transpose: Permutation | None
    zero_is_placeholder: bool

    def _emit(self, write: Writer) -> list[Value]:
        x = self._transposed(write, self._input(0), "first_transpose")
        given = self._given(1)
        if self._known(1) is not None:
            x = self._reshaped(write, x, Dims(self._ints(1)))
        elif given is not None:
            x = write.one("reshape", x, write.cast(given, "i64"))
        elif self.reshape_dims is not None:
            x = self._reshaped(write, x, self.reshape_dims)
        return [self._transposed(write, x, "second_transpose")]

    def _reshaped(self, write: Writer, x: Value, dims: Dims) -> Value:
        shape: list[Size] = list(dims)
        copied = [a for a, size in enumerate(dims) if size == 0 and self.zero_is_placeholder]
        for axis in copied:
            if axis >= len(x.shape):
                raise ValueError(
                    f"reshape_dims is {dims} with 0 at {axis}, expected a 0 only where the input "
                    f"has an axis; its shape is {x.shape}"
                )
            shape[axis] = write.size(x, axis)
        varying = [axis for axis, size in enumerate(shape) if not isinstance(size, int)]
        if len(varying) == 1 and -1 not in shape:
            # The only dynamic size follows from the others, where these keep their product.
            (axis,) = varying
            others = [size for a, size in enumerate(x.shape) if a != axis]
            rest = [size for size in shape if isinstance(size, int)]
            if min(others, default=1) > 0 and math.prod(others) == math.prod(rest):
                shape[axis] = -1
        return write.reshape(x, shape)

    def _transposed(self, write: Writer, x: Value, attribute: str) -> Value:
        order: Permutation | None = getattr(self, attribute)
        if order is None:
            return x
        rank = len(x.shape)
        axes = list(order)
        if len(axes) == Dims.MAX_DIMS:  # tensorrt's own always has that many
            axes = axes[:rank]
        if sorted(axes) != list(range(rank)):
            raise ValueError(f"{attribute} is {tuple(order)}, expected an order of {rank} axes")
        return x if axes == list(range(rank)) else write.one("transpose", x, perm=axes)


class IConcatenationLayer(ILayer):
    """Operands one behind the other along an axis."""

    operands = ("*",)
    axis: int

    def _emit(self, write: Writer) -> list[Value]:
        tensors = [self._input(i) for i in range(self.num_inputs)]
        axis = positive_axis(self.axis, len(tensors[0].shape))
        return [write.one("concat", *tensors, axis=axis)]


class ISqueezeLayer(ILayer):
    """The input without axes of size 1: those given, or all that are known to be 1."""

    operands = ("input", "axes")

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        rank = len(x.shape)
        if self.get_input(1) is None:
            axes = [axis for axis, size in enumerate(x.shape) if size == 1]
        else:
            axes = [positive_axis(axis, rank) for axis in self._ints(1)]
        return [write.squeeze(x, *axes)]


class IUnsqueezeLayer(ILayer):
    """The input with axes of size 1 at these positions of the result."""

    operands = ("input", "axes")

    def _emit(self, write: Writer) -> list[Value]:
        x, axes = self._input(0), self._ints(1)
        rank = len(x.shape) + len(axes)
        return [write.unsqueeze(x, *(positive_axis(axis, rank) for axis in axes))]


class IShapeLayer(ILayer):
    """The sizes of the input, INT64."""

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("shape_of", self._input(0))]


class IReverseSequenceLayer(ILayer):
    """The first entries of each sequence in reverse; how many, `sequence_lens` says."""

    operands = ("input", "sequence_lens")
    batch_axis: int
    sequence_axis: int

    def _emit(self, write: Writer) -> list[Value]:
        x, lengths = self._input(0), self._input(1)
        batch, sequence = self.batch_axis, self.sequence_axis
        return [write.one("reverse_sequence", x, lengths, batch_axis=batch, seq_axis=sequence)]


class IAssertionLayer(ILayer):
    """Fails a run in which the condition is false."""

    operands = ("condition",)
    outputs = ()
    message: str

    def _checked(self, write: Writer, x: Value) -> Value:
        """x, once the condition holds."""
        return self._framed(lambda: self._assert(write, x))

    def _assert(self, write: Writer, x: Value) -> Value:
        condition = self._input(0)
        if condition.dtype != "b":
            raise ValueError(f"condition is {condition.dtype}, expected a bool")
        axes = list(range(len(condition.shape)))
        if axes:
            condition = write.one("reduce", condition, op="all", axes=axes, keepdims=False)
        return write.one("assert", x, condition, message=self.message)


class LayoutMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_shuffle(self, input: Any) -> IShuffleLayer:
        """Transpose, reshape, transpose; in `reshape_dims` 0 copies a size and -1 infers one."""
        return self._added(
            IShuffleLayer(
                self,
                input,
                first_transpose=None,
                reshape_dims=None,
                second_transpose=None,
                zero_is_placeholder=True,
            )
        )

    def add_concatenation(self, inputs: Any) -> IConcatenationLayer:
        """Tensors one behind the other; set `axis`."""
        layer = IConcatenationLayer(self, *operands("add_concatenation", inputs))
        first = layer.get_input(0)
        layer.axis = max(0, first.rank - 3) if first is not None else 0
        return self._added(layer)

    def add_squeeze(self, input: Any, axes: Any = None) -> ISqueezeLayer:
        """The input without axes of size 1; `axes` is a constant vector."""
        return self._added(ISqueezeLayer(self, input, axes))

    def add_unsqueeze(self, input: Any, axes: Any) -> IUnsqueezeLayer:
        """The input with axes of size 1; `axes` is a constant vector of their positions."""
        return self._added(IUnsqueezeLayer(self, input, axes))

    def add_shape(self, input: Any) -> IShapeLayer:
        """The sizes as a vector that other layers take through set_input."""
        return self._added(IShapeLayer(self, input))

    def add_reverse_sequence(self, input: Any, sequence_lens: Any) -> IReverseSequenceLayer:
        """The first `sequence_lens[b]` entries of each sequence in reverse."""
        return self._added(
            IReverseSequenceLayer(self, input, sequence_lens, batch_axis=1, sequence_axis=0)
        )

    def add_assertion(self, condition: Any, message: str) -> IAssertionLayer:
        """Fails a run with `message` where `condition`, computed from sizes, is false."""
        return self._added(IAssertionLayer(self, condition, message=message))

    def checked(self, result: Value) -> Value:
        """A result of the converter, once every assertion of the network holds."""
        for layer in self._layers:
            if isinstance(layer, IAssertionLayer):
                result = layer._checked(self.writer, result)
        return result
