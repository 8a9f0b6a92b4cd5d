"""Slices, inside of the input and beyond it, and tensors made from nothing."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch_tensorrt.dynamo.conversion._enums import DataType, Dims, FillOperation, SampleMode
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import Size, Value, Writer, positive_axis


class ISliceLayer(ILayer):
    """shape[i] elements from start[i] on, stride[i] apart; `mode` says what lies outside."""

    operands = ("input", "start", "shape", "stride", "fill value", "axes")
    start: Dims | None
    shape: Dims | None
    stride: Dims | None
    mode: SampleMode
    axes: Dims | None

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        rank = len(x.shape)
        chosen = self._ints(5) if self.get_input(5) is not None else self.axes
        axes = [positive_axis(a, rank) for a in (range(rank) if chosen is None else chosen)]
        start = self._bounds(write, 1, self.start, len(axes))
        size = self._bounds(write, 2, self.shape, len(axes))
        step = self._bounds(write, 3, self.stride, len(axes))
        if self.mode is SampleMode.STRICT_BOUNDS:
            return [_inside(write, x, axes, start, size, step)]
        steps = self._steps(step)
        begins, sizes = _sizes(write, start), _sizes(write, size)
        if self.mode is SampleMode.WRAP:
            for axis, begin, count, stride in zip(axes, begins, sizes, steps, strict=True):
                if (begin, count, stride) != (0, x.shape[axis], 1):
                    x = _wrapped(write, x, axis, begin, count, stride)
            return [x]
        x, begins = self._padded(write, x, axes, begins, sizes, steps)
        return [_inside(write, x, axes, begins, sizes, steps)]

    def _bounds(
        self, write: Writer, index: int, attribute: Dims | None, count: int
    ) -> list[Size] | Value:
        known, given = self._known(index), self._given(index)
        if given is not None and known is None:
            write.check_vector(given, self.operands[index], count)
            return given
        bounds: list[Size] = list(attribute or ())
        if known is not None:
            bounds = [*self._ints(index)]
        if len(bounds) != count:
            raise ValueError(
                f"{self.operands[index]} has {len(bounds)} entries, expected {count}, one an axis"
            )
        return bounds

    def _steps(self, step: list[Size] | Value) -> list[int]:
        steps = [s for s in step if isinstance(s, int)] if isinstance(step, list) else []
        if not steps or 0 in steps:
            raise NotImplementedError(
                f"mode is {self.mode.name}, expected strides known at compile time and not 0"
            )
        return steps

    def _padded(
        self,
        write: Writer,
        x: Value,
        axes: list[int],
        begins: list[Size],
        sizes: list[Size],
        steps: list[int],
    ) -> tuple[Value, list[Size]]:
        """What lies outside is added to x; the slice begins elsewhere in that."""
        rank = len(x.shape)
        before: list[Size] = [0] * rank
        behind: list[Size] = [0] * rank
        moved: list[Size] = []
        for axis, begin, count, step in zip(axes, begins, sizes, steps, strict=True):
            far = write.host("add", begin, write.host("mul", write.host("sub", count, 1), step))
            low, high = (begin, far) if step > 0 else (far, begin)
            before[axis] = write.host("max", write.host("sub", 0, low), 0)
            over = write.host("sub", write.host("add", high, 1), write.size(x, axis))
            behind[axis] = write.host("max", over, 0)
            moved.append(write.host("add", begin, before[axis]))
        fill = self._given(4)
        value = write.as_scalar(fill) if fill is not None else None
        amounts = write.vector(before), write.vector(behind)
        return write.one("pad", x, *amounts, value, mode=self.mode.value), moved


def _sizes(write: Writer, bounds: list[Size] | Value) -> list[Size]:
    return bounds if isinstance(bounds, list) else write.elements(bounds, "bounds")


def _inside(
    write: Writer,
    x: Value,
    axes: list[int],
    start: list[Size] | Value,
    size: list[Size] | Value,
    step: list[Size] | list[int] | Value,
) -> Value:
    """A slice within bounds; a stride of 0 repeats one element."""
    repeated = [i for i, s in enumerate(step) if s == 0] if isinstance(step, list) else []
    if not repeated:
        bounds = (_vector(write, b) for b in (start, size, step))
        return write.one("slice", x, *bounds, axes=axes)
    wanted = write.sizes(x)
    taken = list(_sizes(write, size))
    for axis, count in zip(axes, taken, strict=True):
        wanted[axis] = count
    for index in repeated:
        taken[index] = 1
    strides = [s or 1 for s in step] if isinstance(step, list) else step
    bounds = (_vector(write, b) for b in (start, taken, strides))
    return write.one("broadcast", write.one("slice", x, *bounds, axes=axes), write.vector(wanted))


def _vector(write: Writer, bounds: Any) -> Value:
    if isinstance(bounds, list):
        return write.vector(bounds)
    return write.cast(bounds, "i64")


def _wrapped(write: Writer, x: Value, axis: int, begin: Size, count: Size, step: int) -> Value:
    """Elements at (begin + i * step) modulo the size."""
    bounds = (write.as_value(v) for v in (begin, step, count))
    positions = write.one("range", *bounds)
    size = write.unsqueeze(write.as_value(write.size(x, axis)), 0)
    return write.one("gather", x, write.binary("remainder", positions, size), axis=axis)


class IFillLayer(ILayer):
    """Numbers at equal distances, or random ones."""

    operands = ("shape", "alpha", "beta")
    shape: Dims | None
    operation: FillOperation
    alpha: float
    beta: float
    to_type: DataType

    def _emit(self, write: Writer) -> list[Value]:
        given = self._given(0)
        if given is None and self.shape is None:
            raise ValueError("shape is missing, expected sizes, or a tensor of them as input 0")
        sizes: list[Size] = list(self.shape or ())
        if given is not None:
            sizes = write.elements(given, "shape")
        if self.operation is FillOperation.LINSPACE:
            return [self._line(write, sizes)]
        random = {"distribution": self.operation.value, "dtype": self.to_type.value}
        shape = write.vector(sizes)
        if self.num_inputs < 2:
            return [write.one("random", shape, a=self.alpha, b=self.beta, **random)]
        y = write.one("random", shape, a=0.0, b=1.0, **random)
        first, second = self._parameter(write, 1, self.alpha), self._parameter(write, 2, self.beta)
        if self.operation is FillOperation.RANDOM_UNIFORM:
            second = write.binary("sub", second, first)
        axes = range(len(sizes))
        y = write.binary("mul", y, write.unsqueeze(second, *axes))
        return [write.binary("add", y, write.unsqueeze(first, *axes))]

    def _line(self, write: Writer, sizes: list[Size]) -> Value:
        if len(sizes) != 1:
            raise NotImplementedError(f"shape has {len(sizes)} axes, expected one for LINSPACE")
        start, step = self._parameter(write, 1, self.alpha), self._parameter(write, 2, self.beta)
        return write.one("range", start, step, write.as_value(sizes[0]))

    def _parameter(self, write: Writer, index: int, attribute: float) -> Value:
        given = self._given(index)
        if given is None:
            if not (self.to_type.is_float or math.isfinite(attribute)):
                name, kind = self.operands[index], self.to_type.name
                raise ValueError(f"{name} is {attribute}, expected a finite number for {kind}")
            return write.constant(torch.tensor(attribute).to(self.to_type.torch))
        return write.cast(write.as_scalar(given), self.to_type.value)


class SliceMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_slice(self, input: Any, start: Any, shape: Any, stride: Any) -> ISliceLayer:
        """Part of the input; sizes known only at run time come through set_input(1 to 3)."""
        return self._added(
            ISliceLayer(
                self,
                input,
                start=start,
                shape=shape,
                stride=stride,
                mode=SampleMode.STRICT_BOUNDS,
                axes=None,
            )
        )

    def add_fill(self, shape: Any, op: Any, output_type: Any = DataType.FLOAT) -> IFillLayer:
        """LINSPACE: alpha + i * beta; RANDOM_UNIFORM in alpha..beta; RANDOM_NORMAL around alpha."""
        return self._added(
            IFillLayer(self, shape=shape, operation=op, alpha=0.0, beta=1.0, to_type=output_type)
        )
