"""Normalization, and rounding to few bits."""

from __future__ import annotations

import math
from typing import Any

from torch_tensorrt.dynamo.conversion._enums import DataType
from torch_tensorrt.dynamo.conversion._indexing import is_zero
from torch_tensorrt.dynamo.conversion._layer import ILayer
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import Value, Writer, axes_of, positive_axis, static


class INormalizationLayer(ILayer):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias over axes, or groups of channels."""

    operands = ("input", "scale", "bias")
    axes: int
    epsilon: float
    num_groups: int
    compute_precision: DataType  # without effect: statistics are always FLOAT

    def _emit(self, write: Writer) -> list[Value]:
        x, scale, bias = (self._input(i) for i in range(3))
        rank = len(x.shape)
        axes = axes_of(self.axes, rank)
        spatial = axes == list(range(2, rank))
        if self.num_groups < 1:
            raise ValueError(f"num_groups is {self.num_groups}, expected at least 1")
        if self.num_groups > 1:
            if not spatial:
                raise NotImplementedError(
                    f"num_groups is {self.num_groups} and axes {axes}, expected all axes behind "
                    "the channels"
                )
            channels = static(x.shape[1], "the number of channels")
            scale = _per_channel(write, "scale", scale, x, channels)
            bias = _per_channel(write, "bias", bias, x, channels)
            groups = {"groups": self.num_groups, "eps": self.epsilon}
            return [write.one("group_norm", x, scale, bias, **groups)]
        first = rank - len(axes)
        if axes != list(range(first, rank)):
            return [_affine(write, self._plain(write, x, axes), scale, bias)]
        if all(_fits(x, v, first) for v in (scale, bias)):
            return [write.one("layer_norm", x, scale, bias, first_axis=first, eps=self.epsilon)]
        y = write.one("layer_norm", x, None, None, first_axis=first, eps=self.epsilon)
        return [_affine(write, y, scale, bias)]

    def _plain(self, write: Writer, x: Value, axes: list[int]) -> Value:
        mean = write.one("reduce", x, op="mean", axes=axes, keepdims=True)
        centered = write.binary("sub", x, mean)
        square = write.binary("mul", centered, centered)
        variance = write.one("reduce", square, op="mean", axes=axes, keepdims=True)
        lifted = write.binary("add", variance, write.number(self.epsilon, variance))
        return write.binary("div", centered, write.one("unary", lifted, op="sqrt"))


def _affine(write: Writer, y: Value, scale: Value, bias: Value) -> Value:
    return write.binary("add", write.binary("mul", y, scale), bias)


def _fits(x: Value, affine: Value, first: int) -> bool:
    """One number an element of the normalized axes, the same for all others?"""
    shape = affine.shape
    return shape[:first] == (1,) * first and shape[first:] == x.shape[first:]


def _per_channel(write: Writer, name: str, affine: Value, x: Value, channels: int) -> Value:
    """[1, C, 1, ...], or [1, groups, 1, ...] with each repeated, as [C]."""
    shape = affine.shape
    given = static(shape[1] if len(shape) > 1 else 0, f"the number of elements of {name}")
    if len(shape) != len(x.shape) or given < 1 or channels % given or math.prod(shape) != given:
        raise ValueError(
            f"{name} has shape {shape}, expected {len(x.shape)} axes of size 1 but for the second, "
            f"with {channels} or a divisor of it"
        )
    column = write.reshape(affine, [given, 1])
    if given == channels:
        return write.squeeze(column, 1)
    wide = write.one("broadcast", column, write.vector([given, channels // given]))
    return write.reshape(wide, [channels])


class _Quantization(ILayer):
    operands = ("input", "scale", "zero_point")
    axis: int
    to_type: DataType
    kind = ""

    def _emit(self, write: Writer) -> list[Value]:
        x, scale = self._input(0), self._input(1)
        if self.get_input(2) is not None and not is_zero(self._known(2)):
            raise NotImplementedError("zero_point is not 0, expected symmetric quantization")
        self._check_scale()
        axis = -1
        if scale.shape == (1,):
            scale = write.as_scalar(scale)
        elif scale.shape:
            axis = positive_axis(self.axis, len(x.shape))
        return [write.one(self.kind, x, scale, to=self.to_type.value, axis=axis)]

    def _check_scale(self) -> None:
        known = self._known(1)
        if known is None or known.is_complex():
            return
        wrong = known[~(known.isfinite() & (known > 0))]
        if wrong.numel():
            raise ValueError(f"scale has {wrong[0].item()}, expected finite numbers above 0")


class IQuantizeLayer(_Quantization):
    """x / scale, rounded to few bits; one scale, or one an entry of `axis`."""

    kind = "quantize"


class IDequantizeLayer(_Quantization):
    """The inverse: x * scale."""

    kind = "dequantize"


class NormalizationMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_normalization(
        self,
        input: Any,
        scale: Any,
        bias: Any,
        axesMask: int,  # noqa: N803  TensorRT's name
    ) -> INormalizationLayer:
        """Normalizes over the axes whose bits are set; `scale` and `bias` have the input's rank."""
        return self._added(
            INormalizationLayer(self, input, scale, bias, axes=axesMask, epsilon=1e-5, num_groups=1)
        )

    def add_normalization_v2(
        self,
        input: Any,
        scale: Any,
        bias: Any,
        axesMask: int,  # noqa: N803  TensorRT's name
    ) -> INormalizationLayer:
        """As add_normalization; with groups, `scale` and `bias` have one number a channel."""
        return self.add_normalization(input, scale, bias, axesMask)

    def add_quantize(
        self, input: Any, scale: Any, output_type: Any = DataType.INT8
    ) -> IQuantizeLayer:
        """The input rounded to 8 bits or fewer; a dequantize layer is its inverse."""
        return self._added(IQuantizeLayer(self, input, scale, axis=-1, to_type=output_type))

    def add_dequantize(
        self, input: Any, scale: Any, output_type: Any = DataType.FLOAT
    ) -> IDequantizeLayer:
        """What a quantize layer gave, as floats."""
        return self._added(IDequantizeLayer(self, input, scale, axis=-1, to_type=output_type))
