"""Layers that compute element by element."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch_tensorrt.dynamo.conversion._enums import (
    ActivationType,
    DataType,
    Dims,
    ElementWiseOperation,
    ScaleMode,
    UnaryOperation,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer, Weights
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import (
    Value,
    Writer,
    positive_axis,
    static,
    torch_dtype,
)

_LARGEST = torch.finfo(torch.float32).max
_SELU = (1.6732632423543772, 1.0507009873554805)
_PARAMETERS: dict[ActivationType, tuple[float, float]] = {
    ActivationType.LEAKY_RELU: (0.01, 0.0),
    ActivationType.ELU: (1.0, 0.0),
    ActivationType.SELU: _SELU,
    ActivationType.SOFTPLUS: (1.0, 1.0),
    ActivationType.CLIP: (-_LARGEST, _LARGEST),
    ActivationType.HARD_SIGMOID: (0.2, 0.5),
    ActivationType.SCALED_TANH: (1.0, 1.0),
    ActivationType.THRESHOLDED_RELU: (1.0, 0.0),
}
_LOGICAL = (ElementWiseOperation.AND, ElementWiseOperation.OR, ElementWiseOperation.XOR)
_COMPARE = (
    ElementWiseOperation.EQUAL,
    ElementWiseOperation.GREATER,
    ElementWiseOperation.LESS,
)


class IConstantLayer(ILayer):
    """Data that never changes."""

    operands = ()
    shape: Dims
    weights: Weights

    def _emit(self, write: Writer) -> list[Value]:
        return [write.constant(self._constant)]

    @property
    def _constant(self) -> torch.Tensor:
        if math.prod(self.shape) != self.weights.size:
            raise ValueError(
                f"weights has {self.weights.size} elements, expected {math.prod(self.shape)} for "
                f"shape {tuple(self.shape)}"
            )
        return self.weights.torch().reshape(self.shape)


class IActivationLayer(ILayer):
    """A function with up to two parameters."""

    type: ActivationType
    alpha: float
    beta: float

    def _emit(self, write: Writer) -> list[Value]:
        x, alpha, beta = self._input(0), self.alpha, self.beta
        if self.type is ActivationType.SOFTPLUS:  # alpha * log(exp(beta * x) + 1)
            y = write.one("activation", x, op="softplus", beta=beta)
            factor = alpha * beta
        elif self.type is ActivationType.SELU and not _is_default_selu(alpha, beta):
            y = write.one("activation", x, op="elu", alpha=alpha)
            factor = beta
        else:
            y = write.one("activation", x, op=self.type.value, alpha=alpha, beta=beta)
            factor = 1.0
        return [y if factor == 1 else write.binary("mul", y, write.number(factor, y))]


def _is_default_selu(alpha: float, beta: float) -> bool:
    return math.isclose(alpha, _SELU[0], rel_tol=1e-6) and math.isclose(
        beta, _SELU[1], rel_tol=1e-6
    )


class IUnaryLayer(ILayer):
    """A function of one operand."""

    op: UnaryOperation

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("unary", self._input(0), op=self.op.value)]


class IElementWiseLayer(ILayer):
    """A function of two operands of equal rank and type; sizes are equal or 1."""

    operands = ("input1", "input2")
    op: ElementWiseOperation

    def _emit(self, write: Writer) -> list[Value]:
        kind = "binary"
        if self.op in _LOGICAL:
            kind = "logical"
        elif self.op in _COMPARE:
            kind = "compare"
        return [write.one(kind, self._input(0), self._input(1), op=self.op.value)]


class ISelectLayer(ILayer):
    """Elements of one operand where the condition holds, of the other elsewhere."""

    operands = ("condition", "then_input", "else_input")

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("select", *(self._input(i) for i in range(3)))]


class IIdentityLayer(ILayer):
    """Its operand."""

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("identity", self._input(0))]


class ICastLayer(ILayer):
    """The operand in another type."""

    to_type: DataType

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("cast", self._input(0), to=self.to_type.value)]


class IParametricReLULayer(ILayer):
    """x, or slope * x below zero; the slopes broadcast into x."""

    operands = ("input", "slopes")

    def _emit(self, write: Writer) -> list[Value]:
        return [write.one("prelu", self._input(0), self._input(1))]


class IScaleLayer(ILayer):
    """(x * scale + shift) ^ power; what is empty has no effect."""

    mode: ScaleMode
    shift: Weights
    scale: Weights
    power: Weights
    channel_axis: int

    def _emit(self, write: Writer) -> list[Value]:
        y = self._input(0)
        for op, name in (("mul", "scale"), ("add", "shift"), ("pow", "power")):
            if getattr(self, name).size:
                y = write.binary(op, y, write.constant(self._shaped(name, y)))
        return [write.one("identity", y) if y is self._input(0) else y]

    def _shaped(self, name: str, x: Value) -> torch.Tensor:
        weights: Weights = getattr(self, name)
        shape = [1] * len(x.shape)
        if self.mode is ScaleMode.CHANNEL:
            axis = positive_axis(self.channel_axis, len(shape))
            shape[axis] = weights.size if x.shape[axis] < 0 else x.shape[axis]
        elif self.mode is ScaleMode.ELEMENTWISE:
            shape = [static(size, "an axis of the input") for size in x.shape]
        if weights.size != math.prod(shape):
            raise ValueError(
                f"{name} has {weights.size} elements, expected {math.prod(shape)} in mode "
                f"{self.mode.name} for an input of {x.shape}"
            )
        return weights.cast(torch_dtype(x), name).reshape(shape)


class PointwiseMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_constant(self, shape: Any, weights: Any) -> IConstantLayer:
        """Data of that shape."""
        return self._added(IConstantLayer(self, shape=shape, weights=weights))

    def add_activation(self, input: Any, type: Any) -> IActivationLayer:
        """A function such as RELU; `alpha` and `beta` are TensorRT's defaults."""
        layer = IActivationLayer(self, input, type=type)
        layer.alpha, layer.beta = _PARAMETERS.get(layer.type, (0.0, 0.0))
        return self._added(layer)

    def add_unary(self, input: Any, op: Any) -> IUnaryLayer:
        """A function such as EXP."""
        return self._added(IUnaryLayer(self, input, op=op))

    def add_elementwise(self, input1: Any, input2: Any, op: Any) -> IElementWiseLayer:
        """A function such as SUM of operands of equal rank; a number pairs with any tensor."""
        first, second = self._paired(input1, input2)
        return self._added(IElementWiseLayer(self, first, second, op=op))

    def add_select(self, condition: Any, then_input: Any, else_input: Any) -> ISelectLayer:
        """Elements of `then_input` where `condition` holds, of `else_input` elsewhere."""
        then_input, else_input = self._paired(then_input, else_input)
        return self._added(ISelectLayer(self, condition, then_input, else_input))

    def add_identity(self, input: Any) -> IIdentityLayer:
        """The operand itself."""
        return self._added(IIdentityLayer(self, input))

    def add_cast(self, input: Any, to_type: Any) -> ICastLayer:
        """The operand in another type; floats become integers toward zero."""
        return self._added(ICastLayer(self, input, to_type=to_type))

    def add_parametric_relu(self, input: Any, slopes: Any) -> IParametricReLULayer:
        """x, or slope * x below zero; `slopes` has the rank of `input`."""
        return self._added(IParametricReLULayer(self, input, slopes))

    def add_scale(
        self, input: Any, mode: Any, shift: Any = None, scale: Any = None, power: Any = None
    ) -> IScaleLayer:
        """(x * scale + shift) ^ power with the channels at axis 1."""
        return self.add_scale_nd(input, mode, shift, scale, power, 1)

    def add_scale_nd(
        self,
        input: Any,
        mode: Any,
        shift: Any = None,
        scale: Any = None,
        power: Any = None,
        channel_axis: int = 1,
    ) -> IScaleLayer:
        """(x * scale + shift) ^ power with one weight, one a channel, or one an element."""
        weights = {"shift": shift, "scale": scale, "power": power}
        return self._added(
            IScaleLayer(self, input, mode=mode, channel_axis=channel_axis, **weights)
        )
