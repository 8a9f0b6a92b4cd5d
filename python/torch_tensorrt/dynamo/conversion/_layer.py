"""Tensors and layers as TensorRT's API has them; a layer is written when its output is used."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import torch

from torch_tensorrt import _C
from torch_tensorrt._Input import kind_of
from torch_tensorrt.dynamo.conversion._enums import (
    DataType,
    Dims,
    TensorRTEnum,
    elements,
    flag,
    integer,
    nearest,
    real,
)
from torch_tensorrt.dynamo.conversion._writer import Value, Writer

_HERE = str(Path(__file__).parent)
R = TypeVar("R")


class Network(Protocol):
    """What layers need of the network that they are part of."""

    @property
    def writer(self) -> Writer:
        """Writes the Network; raises RuntimeError once the converter has returned."""

    def tensor(self, value: Any, what: str) -> ITensor:
        """`value` as a tensor of this network."""


class Weights:
    """Constant data of a layer: an array or a tensor; empty where none is given.

    >>> Weights(np.ones(3, np.float32)).dtype
    <DataType.FLOAT: 'f32'>
    """

    def __init__(self, a: object = None) -> None:
        empty = a is None or isinstance(a, DataType)
        self._tensor = torch.empty(0) if empty else as_torch(a)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._tensor.numel()

    @property
    def dtype(self) -> DataType:
        """Their type."""
        return DataType.of(self._tensor.dtype)

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self._tensor.nbytes

    def numpy(self) -> Any:
        """The data as an array."""
        return self._tensor.numpy()

    def cast(self, dtype: torch.dtype, name: str) -> torch.Tensor:
        """The data in that type.

        Raises:
            ValueError: it is complex; the message begins with `name`.
        """
        if self._tensor.is_complex():
            raise ValueError(f"{name} is complex, expected real numbers")
        return self._tensor.to(dtype)

    def torch(self) -> torch.Tensor:
        """The data as a tensor."""
        return self._tensor


def as_torch(value: Any) -> torch.Tensor:
    """Weights, an array, a tensor or numbers as a tensor.

    Raises:
        TypeError: `value` is something else.
    """
    if isinstance(value, Weights):
        return value.torch()
    if isinstance(value, torch.Tensor):
        return value.detach()
    if type(value).__name__ == "Weights" and hasattr(value, "numpy"):  # tensorrt's own
        value = value.numpy()
    if isinstance(value, np.ndarray | np.generic):
        return torch.from_numpy(np.array(value))
    try:
        return torch.tensor(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise TypeError(
            f"{value!r} is {kind_of(value)}, expected an array, a tensor or numbers"
        ) from None


def _is_below(index: object, count: int) -> bool:
    return isinstance(index, int | np.integer) and bool(0 <= index < count)


class ITensor:
    """A tensor of the network: an argument of the op, or an output of a layer.

    Attributes:
        name: for messages.
    """

    def __init__(
        self, network: Network, source: ILayer | Value, index: int = 0, name: str = ""
    ) -> None:
        self._network, self._source, self._index = network, source, index
        self.name = name

    @property
    def shape(self) -> Dims:
        """Sizes; -1 where dynamic."""
        return Dims(self._value.shape)

    @property
    def dtype(self) -> DataType:
        """Element type."""
        return DataType(self._value.dtype)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self._value.shape)

    @property
    def _value(self) -> Value:
        self._network.writer  # noqa: B018  raises once the network is finished
        if isinstance(self._source, ILayer):
            return self._source._values()[self._index]
        return self._source

    @property
    def _constant(self) -> torch.Tensor | None:
        """The data where the tensor is a constant layer's."""
        return self._source._constant if isinstance(self._source, ILayer) else None

    def __repr__(self) -> str:
        return f"ITensor({self.name!r})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a tensor has no {name!r}, expected one of name, shape, dtype, rank; layers of "
            "ctx.net compute with it"
        )


class ILayer:
    """A layer; its attributes may change until one of its outputs is used.

    Attributes:
        name: for messages.
        metadata: free text, kept with the layer.
    """

    operands: ClassVar[tuple[str, ...]] = ("input",)  # "*": any number
    outputs: ClassVar[tuple[str, ...]] = ("output",)

    name: str
    metadata: str

    def __init__(self, network: Network, *inputs: Any, **attributes: Any) -> None:
        self._network = network
        self._results: list[Value] | None = None
        self._place = _caller()
        self._inputs: list[ITensor | None] = []
        for index, value in enumerate(inputs):
            self.set_input(index, value)
        for name, value in {"metadata": "", **attributes}.items():
            setattr(self, name, value)

    @property
    def num_inputs(self) -> int:
        """Number of tensors that it takes."""
        return len(self._inputs)

    @property
    def num_outputs(self) -> int:
        """Number of tensors that it gives."""
        return len(self.outputs)

    def get_input(self, index: int) -> ITensor | None:
        """The tensor that was given as this input."""
        return self._inputs[index] if _is_below(index, len(self._inputs)) else None

    def set_input(self, index: int, tensor: Any) -> None:
        """Gives one input, by its position.

        Raises:
            IndexError: the layer has no such input; the message names those that it has.
        """
        names = self._operand_names()
        if not _is_below(index, len(names)):
            expected = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
            raise IndexError(
                f"{self._title} has no input {index!r}, expected "
                + (f"one of {expected}" if names else "none: it takes no tensors")
            )
        self._check_open("input")
        what = names[index]
        self._inputs += [None] * (index + 1 - len(self._inputs))
        self._inputs[index] = (
            None if tensor is None else self._network.tensor(tensor, f"{self._title}: {what}")
        )

    def get_output(self, index: int) -> ITensor:
        """One of its results.

        Raises:
            IndexError: the layer has fewer.
        """
        count = len(self.outputs)
        if not _is_below(index, count):
            expected = f"0..{count - 1}" if count else "none: it has no outputs"
            raise IndexError(f"{self._title} has no output {index!r}, expected {expected}")
        return ITensor(self._network, self, index, f"{self._title}, {self.outputs[index]}")

    # ---- for the kinds of layers ----

    def _emit(self, write: Writer) -> Sequence[Value]:
        """Writes the layer; one value an output."""
        raise NotImplementedError

    @property
    def _constant(self) -> torch.Tensor | None:
        return None

    def _operand_names(self) -> list[str]:
        """Of the inputs that may be set; a layer of any number takes one more than it has."""
        if self.operands != ("*",):
            return list(self.operands)
        return [f"input {index}" for index in range(self.num_inputs + 1)]

    def _given(self, index: int) -> Value | None:
        """An optional input."""
        tensor = self.get_input(index)
        return tensor._value if tensor is not None else None

    def _input(self, index: int) -> Value:
        value = self._given(index)
        if value is None:
            raise ValueError(f"{self._operand_names()[index]} is missing, expected a tensor")
        return value

    def _known(self, index: int) -> torch.Tensor | None:
        """The data of an input that is a constant layer's."""
        tensor = self.get_input(index)
        return tensor._constant if tensor is not None else None

    def _numbers(self, index: int) -> list[Any]:
        """The elements of an input that must be a constant layer's."""
        known = self._known(index)
        if known is None:
            raise NotImplementedError(
                f"{self.operands[index]} is computed at run time, expected a constant"
            )
        return known.flatten().tolist()

    def _ints(self, index: int) -> list[int]:
        """The elements of an input that must be a constant layer's, of an integer type."""
        numbers = self._numbers(index)
        if not all(isinstance(number, int) for number in numbers):
            raise ValueError(f"{self.operands[index]} is {numbers}, expected ints")
        return numbers

    def _number(self, index: int, kind: type = int) -> Any:
        """The only element of an input that must be a constant layer's."""
        numbers = self._numbers(index)
        if len(numbers) != 1:
            raise ValueError(f"{self.operands[index]} has {len(numbers)} elements, expected 1")
        if kind is int and not isinstance(numbers[0], int):
            raise ValueError(f"{self.operands[index]} is {numbers[0]}, expected an int")
        return numbers[0]

    def _per_axis(self, attribute: str, count: int, least: int) -> Dims:
        """An attribute with one entry an axis, each at least so much."""
        entries: Dims = getattr(self, attribute)
        if len(entries) != count or min(entries, default=least) < least:
            raise ValueError(
                f"{attribute} is {tuple(entries)}, expected one entry for each of {count} axes, "
                f"at least {least}"
            )
        return entries

    def _spatial(self, x: Value, window: str) -> int:
        """The number of axes behind batch and channels, for each of which the window has a size."""
        sizes = tuple(getattr(self, window))
        if len(x.shape) != len(sizes) + 2:
            raise ValueError(
                f"input has {len(x.shape)} axes, expected {len(sizes) + 2}: batch, channels and "
                f"those of {window} {sizes}"
            )
        self._per_axis(window, len(sizes), 1)
        return len(sizes)

    def _values(self) -> list[Value]:
        if self._results is None:
            for tensor in self._inputs:  # first: their errors are not this layer's
                if tensor is not None:
                    value_of(tensor)
            self._results = list(self._framed(lambda: self._emit(self._network.writer)))
        return self._results

    def _framed(self, write: Callable[[], R]) -> R:
        """What `write` gives; its errors name the layer and the line that added it."""
        try:
            return write()
        except (ValueError, NotImplementedError) as error:
            raise type(error)(f"{self._title} ({self._place}): {error}") from error

    # ---- attributes ----

    @property
    def _title(self) -> str:
        own = type(self).__name__.removeprefix("I")
        return f"{own} {self.name!r}" if "name" in self.__dict__ else own

    def _check_open(self, attribute: str) -> None:
        if self._results is not None:
            raise RuntimeError(
                f"{self._title}: {attribute} is set after its output was used, expected before: "
                "the layer is in the network already"
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
            return
        kind = declared(type(self)).get(name)
        if kind is None:
            raise AttributeError(self._unknown(name))
        if name not in ("name", "metadata"):
            self._check_open(name)
        try:
            self.__dict__[name] = self._converted(kind, value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self._title}: {name}: {error}") from None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        known = [*declared(type(self)), *(n for n in dir(type(self)) if not n.startswith("_"))]
        hidden = {"operands", "outputs"}
        return f"{self._title} has no {name!r}; nearest: {nearest(name, set(known) - hidden)}"

    def _converted(self, kind: Any, value: Any) -> Any:
        if isinstance(kind, types.UnionType):
            if value is None:
                return None
            kind = next(k for k in typing.get_args(kind) if k is not types.NoneType)
        if typing.get_origin(kind) is list:
            (element,) = typing.get_args(kind)
            return [self._converted(element, v) for v in elements(value, "numbers")]
        if issubclass(kind, TensorRTEnum):
            return kind.of(value)
        if kind is ITensor:
            return self._network.tensor(value, self._title)
        if kind is Weights:
            return value if isinstance(value, Weights) else Weights(value)
        if isinstance(value, ITensor) and kind in _SCALARS:
            raise TypeError(f"{value!r} is a tensor, expected a number known at compile time")
        return _SCALARS.get(kind, kind)(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no str")
    return value


_SCALARS: dict[type, Callable[[Any], Any]] = {
    bool: flag,
    int: integer,
    float: real,
    str: _string,
}


_declared: dict[type, dict[str, Any]] = {}


def declared(kind: type) -> dict[str, Any]:
    """The attributes that may be set on a layer of that kind, with their types."""
    if kind not in _declared:
        _declared[kind] = {
            name: hint
            for name, hint in typing.get_type_hints(kind).items()
            if typing.get_origin(hint) is not ClassVar and not name.startswith("_")
        }
    return _declared[kind]


def _caller() -> str:
    """The line outside of this package that called."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def value_of(tensor: ITensor) -> _C.Value:
    """The Network's value behind a tensor; its layers are written now."""
    return tensor._value
