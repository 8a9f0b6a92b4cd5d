"""Layers of images: pooling, resizing, sampling, padding."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from torch_tensorrt.dynamo.conversion._enums import (
    Dims,
    InterpolationMode,
    PaddingMode,
    PoolingType,
    ResizeCoordinateTransformation,
    ResizeRoundMode,
    ResizeSelector,
    SampleMode,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._padding import explicit_padding
from torch_tensorrt.dynamo.conversion._writer import Size, Value, Writer

_MOST_RESIZED = 3
_GRID_MODES = {
    InterpolationMode.LINEAR: "bilinear",
    InterpolationMode.NEAREST: "nearest",
    InterpolationMode.CUBIC: "cubic",
}
_GRID_PADDING = {
    SampleMode.FILL: "zeros",
    SampleMode.CLAMP: "border",
    SampleMode.REFLECT: "reflection",
}


class IPoolingLayer(ILayer):
    """The largest element or the average of each window of x [N, C, sizes]."""

    type: PoolingType
    window_size_nd: Dims
    stride_nd: Dims
    pre_padding: Dims
    post_padding: Dims
    padding_mode: PaddingMode
    blend_factor: float
    average_count_excludes_padding: bool

    @property
    def padding_nd(self) -> Dims:
        """Padding at both ends."""
        return self.pre_padding

    @padding_nd.setter
    def padding_nd(self, padding: Any) -> None:
        self.pre_padding = padding
        self.post_padding = padding

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        axes = self._spatial(x, "window_size_nd")
        window, stride = self.window_size_nd, self._per_axis("stride_nd", axes, 1)
        ones = (1,) * axes
        begin, end = (
            list(self._per_axis(name, axes, 0)) for name in ("pre_padding", "post_padding")
        )
        if not math.isfinite(self.blend_factor):
            raise ValueError(f"blend_factor is {self.blend_factor}, expected a finite number")
        ceil = self.padding_mode is PaddingMode.EXPLICIT_ROUND_UP
        if ceil:
            self._check_round_up(x)
        else:
            begin, end = explicit_padding(
                self.padding_mode, x.shape[2:], window, stride, ones, (begin, end)
            )
        shape = {
            "window": window,
            "stride": stride,
            "pad_begin": begin,
            "pad_end": end,
            "ceil_mode": ceil,
        }
        include = not self.average_count_excludes_padding
        if self.type is PoolingType.MAX:
            return [write.one("max_pool", x, **shape, dilation=ones)]
        average = write.one("avg_pool", x, **shape, count_include_pad=include)
        if self.type is PoolingType.AVERAGE:
            return [average]
        largest = write.one("max_pool", x, **shape, dilation=ones)
        share = write.binary("mul", average, write.number(self.blend_factor, x))
        rest = write.binary("mul", largest, write.number(1 - self.blend_factor, x))
        return [write.binary("add", share, rest)]

    def _check_round_up(self, x: Value) -> None:
        """PyTorch drops a last window that begins in the padding; TensorRT keeps it."""
        for axis, size in enumerate(x.shape[2:]):
            window, stride = self.window_size_nd[axis], self.stride_nd[axis]
            before, behind = self.pre_padding[axis], self.post_padding[axis]
            steps = -(-(size + before + behind - window) // stride)
            if behind + stride <= window or (size >= 0 and steps * stride < size + before):
                continue
            raise NotImplementedError(
                f"padding_mode is EXPLICIT_ROUND_UP and the last window of axis {axis + 2} may lie "
                "in the padding, expected one that begins inside of the input"
            )


class IResizeLayer(ILayer):
    """x with its last axes at other sizes: give `shape`, `scales`, or set_input(1, sizes)."""

    operands = ("input", "shape")
    shape: Dims | None
    scales: list[float]
    resize_mode: InterpolationMode
    coordinate_transformation: ResizeCoordinateTransformation
    selector_for_single_pixel: ResizeSelector
    nearest_rounding: ResizeRoundMode
    exclude_outside: bool
    cubic_coeff: float

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        self._check()
        sizes = self._sizes(write, x)
        first = self._first(x, sizes)
        return [
            write.one(
                "resize",
                x,
                write.vector(sizes[first:]),
                mode=self.resize_mode.value,
                coordinate=self.coordinate_transformation.value,
                rounding=self.nearest_rounding.value,
                cubic_a=self.cubic_coeff,
                scales=self.scales[first:],
            )
        ]

    def _check(self) -> None:
        if self.exclude_outside:
            raise NotImplementedError("exclude_outside is True, expected False")
        if self.selector_for_single_pixel is not ResizeSelector.FORMULA:
            raise NotImplementedError("selector_for_single_pixel is UPPER, expected FORMULA")
        if self.nearest_rounding not in (ResizeRoundMode.FLOOR, ResizeRoundMode.HALF_UP):
            raise NotImplementedError(
                f"nearest_rounding is {self.nearest_rounding.name}, expected FLOOR or HALF_UP"
            )

    def _sizes(self, write: Writer, x: Value) -> list[Size]:
        given = self._given(1)
        rank = len(x.shape)
        if given is not None:
            return write.elements(given, "shape", rank)
        if self.scales:
            if len(self.scales) != rank:
                raise ValueError(f"scales has {len(self.scales)} entries, expected {rank}")
            if not all(0 < scale < math.inf for scale in self.scales):
                raise ValueError(f"scales is {self.scales}, expected finite numbers above 0")
            return [_scaled(write, x, axis, scale) for axis, scale in enumerate(self.scales)]
        if self.shape is None or len(self.shape) != rank:
            raise ValueError(f"shape is {self.shape}, expected {rank} sizes, or scales")
        return list(self.shape)

    def _first(self, x: Value, sizes: list[Size]) -> int:
        """The first resized axis; sizes known only at run time leave batch and channels."""
        rank = len(x.shape)
        if self._given(1) is not None:
            first = min(2, rank - 1)
        elif self.scales:
            first = next((a for a, s in enumerate(self.scales) if s != 1), rank - 1)
        else:
            first = next((a for a, s in enumerate(sizes) if s != x.shape[a]), rank - 1)
        if rank - first > _MOST_RESIZED:
            raise NotImplementedError(
                f"axis {first} of {rank} is resized, expected the last {_MOST_RESIZED} at most"
            )
        return first


def _scaled(write: Writer, x: Value, axis: int, scale: float) -> Size:
    ratio = Fraction(scale).limit_denominator(1 << 16)
    scaled = write.host("mul", write.size(x, axis), ratio.numerator)
    return write.host("floor_div", scaled, ratio.denominator)


class IGridSampleLayer(ILayer):
    """x [N, C, H, W] read at the positions of a grid [N, H, W, 2] in -1..1."""

    operands = ("input", "grid")
    interpolation_mode: InterpolationMode
    align_corners: bool
    sample_mode: SampleMode

    def _emit(self, write: Writer) -> list[Value]:
        padding = _GRID_PADDING.get(self.sample_mode)
        if padding is None:
            raise NotImplementedError(
                f"sample_mode is {self.sample_mode.name}, expected FILL, CLAMP or REFLECT"
            )
        mode = _GRID_MODES[self.interpolation_mode]
        x, grid = self._input(0), self._input(1)
        return [
            write.one(
                "grid_sample", x, grid, mode=mode, padding=padding, align_corners=self.align_corners
            )
        ]


class ILRNLayer(ILayer):
    """Each element divided by a power of the squares around it, across channels."""

    window_size: int
    alpha: float
    beta: float
    k: float

    def _emit(self, write: Writer) -> list[Value]:
        size, alpha, beta, k = self.window_size, self.alpha, self.beta, self.k
        return [write.one("lrn", self._input(0), size=size, alpha=alpha, beta=beta, k=k)]


class IPaddingLayer(ILayer):
    """x with zeros around its last two axes; a negative amount cuts."""

    pre_padding_nd: Dims
    post_padding_nd: Dims

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        rank, count = len(x.shape), len(self.pre_padding_nd)
        if count != len(self.post_padding_nd) or count > rank:
            raise ValueError(
                f"pre_padding_nd is {self.pre_padding_nd} and post_padding_nd "
                f"{self.post_padding_nd}, expected as many entries, at most {rank}"
            )
        begin = [0] * (rank - count) + list(self.pre_padding_nd)
        end = [0] * (rank - count) + list(self.post_padding_nd)
        if any(amount > 0 for amount in begin + end):
            amounts = [write.vector([max(a, 0) for a in side]) for side in (begin, end)]
            x = write.one("pad", x, *amounts, mode="constant")
        cut = [axis for axis in range(rank) if begin[axis] < 0 or end[axis] < 0]
        if not cut:
            return [x]
        start = [max(-begin[axis], 0) for axis in cut]
        taken = [
            write.host("sub", write.size(x, axis), first + max(-end[axis], 0))
            for axis, first in zip(cut, start, strict=True)
        ]
        bounds = [write.vector(v) for v in (start, taken, [1] * len(cut))]
        return [write.one("slice", x, *bounds, axes=cut)]


class ImageMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_pooling_nd(self, input: Any, type: Any, window_size: Any) -> IPoolingLayer:
        """The largest element or the average of windows, `stride_nd` (default 1) apart."""
        window = Dims.named("PoolingLayer: window_size", window_size)
        zeros = (0,) * len(window)
        return self._added(
            IPoolingLayer(
                self,
                input,
                type=type,
                window_size_nd=window,
                stride_nd=(1,) * len(window),
                pre_padding=zeros,
                post_padding=zeros,
                padding_mode=PaddingMode.EXPLICIT_ROUND_DOWN,
                blend_factor=0.0,
                average_count_excludes_padding=True,
            )
        )

    def add_resize(self, input: Any) -> IResizeLayer:
        """Up to three trailing axes at other sizes; set `shape`, `scales` or input 1."""
        return self._added(
            IResizeLayer(
                self,
                input,
                shape=None,
                scales=[],
                resize_mode=InterpolationMode.NEAREST,
                coordinate_transformation=ResizeCoordinateTransformation.ASYMMETRIC,
                selector_for_single_pixel=ResizeSelector.FORMULA,
                nearest_rounding=ResizeRoundMode.FLOOR,
                exclude_outside=False,
                cubic_coeff=-0.75,
            )
        )

    def add_grid_sample(self, input: Any, grid: Any) -> IGridSampleLayer:
        """Reads x [N, C, H, W] at the positions of a grid [N, H, W, 2]."""
        return self._added(
            IGridSampleLayer(
                self,
                input,
                grid,
                interpolation_mode=InterpolationMode.LINEAR,
                align_corners=False,
                sample_mode=SampleMode.FILL,
            )
        )

    def add_lrn(self, input: Any, window: int, alpha: float, beta: float, k: float) -> ILRNLayer:
        """Divides by (k + alpha / window * sum of squares) ^ beta, over channels in the window."""
        return self._added(ILRNLayer(self, input, window_size=window, alpha=alpha, beta=beta, k=k))

    def add_padding_nd(self, input: Any, pre_padding: Any, post_padding: Any) -> IPaddingLayer:
        """Zeros around the last two axes; a negative amount cuts."""
        return self._added(
            IPaddingLayer(self, input, pre_padding_nd=pre_padding, post_padding_nd=post_padding)
        )
