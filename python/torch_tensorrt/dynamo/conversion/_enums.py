"""TensorRT's enums by its names; each value is what the Network calls it."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable
from enum import Enum
from typing import Any, ClassVar, Self

import numpy as np
import torch

from torch_tensorrt._enums import _is_tensorrt
from torch_tensorrt._enums import dtype as _dtype


class TensorRTEnum(Enum):
    """An enum that equals tensorrt's of the same name, member by member."""

    @classmethod
    def of(cls, value: object) -> Self:
        """The member that `value` is, or the one of its name where it is tensorrt's own.

        Raises:
            TypeError: `value` is something else; the message lists the members.
        """
        if isinstance(value, cls):
            return value
        if _is_tensorrt(value, cls.__name__):
            found = cls.__members__.get(getattr(value, "name", ""))
            if found is not None:
                return found
        members = ", ".join(cls.__members__)
        raise TypeError(f"{value!r} is no {cls.__name__}, expected one of {members}")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorRTEnum):
            return self is other
        return _is_tensorrt(other, type(self).__name__) and getattr(other, "name", "") == self.name

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name))


class DataType(TensorRTEnum):
    """Element type of a tensor."""

    FLOAT = "f32"
    HALF = "f16"
    BF16 = "bf16"
    INT8 = "i8"
    INT32 = "i32"
    INT64 = "i64"
    BOOL = "b"
    UINT8 = "u8"
    FP8 = "f8"
    INT4 = "i4"
    FP4 = "f4"

    @classmethod
    def of(cls, value: object) -> Self:
        """Also from a dtype of PyTorch, NumPy or torch_tensorrt.

        >>> DataType.of(torch.int64)
        <DataType.INT64: 'i64'>
        """
        found = None if isinstance(value, cls | str) else _dtype.try_from(value)
        for member in cls:
            if found is not None and member.value == found.value:
                return member
        return super().of(value)

    @property
    def torch(self) -> torch.dtype:
        """The same type of PyTorch."""
        converted: torch.dtype = _dtype(self.value).to(torch.dtype)
        return converted

    @property
    def is_float(self) -> bool:
        """Is it a type that engines compute non-integers in?"""
        return self in (DataType.FLOAT, DataType.HALF, DataType.BF16)


class ActivationType(TensorRTEnum):
    """Function of an activation layer; `alpha` and `beta` are its parameters."""

    RELU = "relu"
    SIGMOID = "sigmoid"
    TANH = "tanh"
    LEAKY_RELU = "leaky_relu"
    ELU = "elu"
    SELU = "selu"
    SOFTSIGN = "softsign"
    SOFTPLUS = "softplus"
    CLIP = "clip"
    HARD_SIGMOID = "hard_sigmoid"
    SCALED_TANH = "scaled_tanh"
    THRESHOLDED_RELU = "thresholded_relu"
    GELU_ERF = "gelu_erf"
    GELU_TANH = "gelu_tanh"


class UnaryOperation(TensorRTEnum):
    """Function of a unary layer."""

    EXP = "exp"
    LOG = "log"
    SQRT = "sqrt"
    RECIP = "recip"
    ABS = "abs"
    NEG = "neg"
    SIN = "sin"
    COS = "cos"
    TAN = "tan"
    SINH = "sinh"
    COSH = "cosh"
    ASIN = "asin"
    ACOS = "acos"
    ATAN = "atan"
    ASINH = "asinh"
    ACOSH = "acosh"
    ATANH = "atanh"
    CEIL = "ceil"
    FLOOR = "floor"
    ERF = "erf"
    NOT = "logical_not"
    SIGN = "sign"
    ROUND = "round"
    ISINF = "isinf"
    ISNAN = "isnan"


class ElementWiseOperation(TensorRTEnum):
    """Function of two operands; DIV truncates on integers, FLOOR_DIV rounds down."""

    SUM = "add"
    PROD = "mul"
    MAX = "max"
    MIN = "min"
    SUB = "sub"
    DIV = "div"
    POW = "pow"
    FLOOR_DIV = "floor_div"
    AND = "and"
    OR = "or"
    XOR = "xor"
    EQUAL = "eq"
    GREATER = "gt"
    LESS = "lt"


class ReduceOperation(TensorRTEnum):
    """What a reduce layer makes of the elements along its axes."""

    SUM = "sum"
    PROD = "prod"
    MAX = "max"
    MIN = "min"
    AVG = "mean"


class MatrixOperation(TensorRTEnum):
    """What a matrix multiplication does to an operand first; VECTOR: it lacks one dimension."""

    NONE = "none"
    TRANSPOSE = "transpose"
    VECTOR = "vector"


class TopKOperation(TensorRTEnum):
    """Which end of the order a top-k layer takes."""

    MAX = "largest"
    MIN = "smallest"


class PoolingType(TensorRTEnum):
    """What a pooling layer makes of a window."""

    MAX = "max"
    AVERAGE = "average"
    MAX_AVERAGE_BLEND = "blend"


class PaddingMode(TensorRTEnum):
    """Padding of convolutions and pooling; SAME_* computes it from the input's size."""

    EXPLICIT_ROUND_DOWN = "round_down"
    EXPLICIT_ROUND_UP = "round_up"
    SAME_UPPER = "same_upper"
    SAME_LOWER = "same_lower"


class ScaleMode(TensorRTEnum):
    """How many weights a scale layer has: one, one a channel, or one an element."""

    UNIFORM = "uniform"
    CHANNEL = "channel"
    ELEMENTWISE = "elementwise"


class InterpolationMode(TensorRTEnum):
    """How resize and grid-sample layers read between elements."""

    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC = "cubic"


class ResizeCoordinateTransformation(TensorRTEnum):
    """From a position in a resize layer's output to one in its input."""

    ALIGN_CORNERS = "align_corners"
    ASYMMETRIC = "asymmetric"
    HALF_PIXEL = "half_pixel"


class ResizeSelector(TensorRTEnum):
    """Where an output of size 1 reads: by the formula, or at the upper end."""

    FORMULA = "formula"
    UPPER = "upper"


class ResizeRoundMode(TensorRTEnum):
    """How NEAREST rounds a position."""

    HALF_UP = "half_up"
    HALF_DOWN = "half_down"
    FLOOR = "floor"
    CEIL = "ceil"


class FillOperation(TensorRTEnum):
    """What a fill layer writes."""

    LINSPACE = "linspace"
    RANDOM_UNIFORM = "uniform"
    RANDOM_NORMAL = "normal"


class GatherMode(TensorRTEnum):
    """Along one axis; one index an element; or tuples of indices."""

    DEFAULT = "default"
    ELEMENT = "element"
    ND = "nd"


class ScatterMode(TensorRTEnum):
    """One index an element, or tuples of indices."""

    ELEMENT = "element"
    ND = "nd"


class SampleMode(TensorRTEnum):
    """What slice and grid-sample layers read outside of the input."""

    STRICT_BOUNDS = "strict"
    WRAP = "wrap"
    CLAMP = "edge"
    FILL = "constant"
    REFLECT = "reflect"


class CumulativeOperation(TensorRTEnum):
    """What a cumulative layer accumulates."""

    SUM = "sum"


class BoundingBoxFormat(TensorRTEnum):
    """Two corners, or the center and the size."""

    CORNER_PAIRS = "corners"
    CENTER_SIZES = "center_size"


class AttentionNormalizationOp(TensorRTEnum):
    """What happens to attention's scores."""

    NONE = "none"
    SOFTMAX = "softmax"


class CausalMaskKind(TensorRTEnum):
    """Which triangle of attention's scores counts."""

    NONE = "none"
    UPPER_LEFT = "upper_left"
    LOWER_RIGHT = "lower_right"


class Dims(tuple[int, ...]):
    """Sizes, as a tuple; -1 where one is dynamic or inferred."""

    __slots__ = ()
    MAX_DIMS: ClassVar[int] = 8

    def __new__(cls, shape: Iterable[Any] = ()) -> Self:
        return super().__new__(cls, map(integer, elements(shape, "ints")))

    @classmethod
    def named(cls, name: str, shape: Any) -> Self:
        """The sizes; the message of an error begins with `name`."""
        try:
            return cls(shape)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None


class Permutation(Dims):
    """An order of axes."""

    __slots__ = ()


def elements(value: Any, kind: str) -> list[Any]:
    """The elements of a list, a tuple, an array.

    Raises:
        TypeError: it has none; `kind` says what they should be.
    """
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{value!r} is no list of {kind}") from None


def integer(value: Any) -> int:
    """An int of PyTorch, NumPy or Python as Python's.

    Raises:
        TypeError: it is something else, or has more than 64 bits.
    """
    try:
        number = operator.index(value)
    except TypeError:
        hint = "; sizes known only at run time come through set_input" * hasattr(value, "shape")
        raise TypeError(f"{value!r} is no int{hint}") from None
    if not -(2**63) <= number < 2**63:
        raise TypeError(f"{number} is no int of 64 bits")
    return number


def real(value: Any) -> float:
    """A number of PyTorch, NumPy or Python as a float.

    Raises:
        TypeError: it is something else.
    """
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        pass
    raise TypeError(f"{value!r} is no number")


def flag(value: Any) -> bool:
    """True or False, also as 1 or 0.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise TypeError(f"{value!r} is no bool")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known names most like `name`, for messages."""
    names = sorted(known)
    return ", ".join(difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names)
