"""Tensors and layers as TensorRT's API has them; a layer is written when its output is used."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from torch_tensorrt import _C
from torch_tensorrt.dynamo.conversion._enums import DataType, Dims, TensorRTEnum, nearest
from torch_tensorrt.dynamo.conversion._writer import Value, Writer

_HERE = str(Path(__file__).parent)


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
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"{value!r} is a {type(value).__name__}, expected an array, a tensor or numbers"
        ) from None


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
        return self._inputs[index] if index < len(self._inputs) else None

    def set_input(self, index: int, tensor: Any) -> None:
        """Gives one input, by its position.

        Raises:
            IndexError: the layer has no such input; the message names those that it has.
        """
        variadic = self.operands == ("*",)
        if index < 0 or (index >= len(self.operands) and not variadic):
            raise IndexError(
                f"{self._title} has no input {index}, expected one of "
                + ", ".join(f"{i} ({name})" for i, name in enumerate(self.operands))
            )
        self._check_open("input")
        what = f"input {index}" if variadic else self.operands[index]
        self._inputs += [None] * (index + 1 - len(self._inputs))
        self._inputs[index] = (
            None if tensor is None else self._network.tensor(tensor, f"{self._title}: {what}")
        )

    def get_output(self, index: int) -> ITensor:
        """One of its results.

        Raises:
            IndexError: the layer has fewer.
        """
        if not 0 <= index < len(self.outputs):
            raise IndexError(
                f"{self._title} has no output {index}, expected 0..{len(self.outputs) - 1}"
            )
        return ITensor(self._network, self, index, f"{self._title}, {self.outputs[index]}")

    # ---- for the kinds of layers ----

    def _emit(self, write: Writer) -> Sequence[Value]:
        """Writes the layer; one value an output."""
        raise NotImplementedError

    @property
    def _constant(self) -> torch.Tensor | None:
        return None

    def _given(self, index: int) -> Value | None:
        """An optional input."""
        tensor = self.get_input(index)
        return tensor._value if tensor is not None else None

    def _input(self, index: int) -> Value:
        value = self._given(index)
        if value is None:
            what = f"input {index}" if self.operands == ("*",) else self.operands[index]
            raise ValueError(f"{what} is missing, expected a tensor")
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

    def _values(self) -> list[Value]:
        if self._results is None:
            for tensor in self._inputs:  # first: their errors are not this layer's
                if tensor is not None:
                    value_of(tensor)
            try:
                self._results = list(self._emit(self._network.writer))
            except (ValueError, NotImplementedError) as error:
                raise type(error)(f"{self._title} ({self._place}): {error}") from error
        return self._results

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
            return [self._converted(element, v) for v in value]
        if issubclass(kind, TensorRTEnum):
            return kind.of(value)
        if kind is ITensor:
            return self._network.tensor(value, self._title)
        if kind is Weights:
            return value if isinstance(value, Weights) else Weights(value)
        if kind is int and isinstance(value, float):
            raise TypeError(f"{value!r} is no int")
        if kind in (bool, int, float, str) and isinstance(value, ITensor):
            raise TypeError(f"{value!r} is a tensor, expected a number known at compile time")
        return kind(value)


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
