"""Plugins of TensorRT by their names, as layers of the Network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from torch_tensorrt.dynamo.conversion._enums import DataType, TensorRTEnum
from torch_tensorrt.dynamo.conversion._layer import ILayer, ITensor, value_of
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase
from torch_tensorrt.dynamo.conversion._writer import Value, Writer

Extent = int | tuple[int, int, int]
Type = tuple[str, tuple[Extent, ...]]
FieldValue = str | torch.Tensor


class PluginFieldType(TensorRTEnum):
    """Type of a plugin's parameter."""

    FLOAT16 = "f16"
    FLOAT32 = "f32"
    FLOAT64 = "f64"
    BF16 = "bf16"
    INT8 = "i8"
    INT32 = "i32"
    INT64 = "i64"
    CHAR = "char"


class TensorRTPhase(TensorRTEnum):
    """What a plugin is created for; networks are always for BUILD."""

    BUILD = "build"
    RUNTIME = "runtime"


class Plugin:
    """A plugin of TensorRT: its name in the registry, and its parameters.

    It holds no object of TensorRT's, so that the network can be stored, and built and run in
    another process, which must register the plugin too.

    Args:
        name: in the registry.
        version: in the registry.
        namespace: in the registry.
        fields: the parameters. An int is an INT32, a float a FLOAT32, a str or bytes are CHAR; so
            are lists of them. Arrays and tensors keep their type.
        outputs: the types of its results, each a tensor of `ctx.net` that it is like, or a dtype
            and a shape, whose sizes are ints or tensors of rank 0 of `ctx.net`. None: those that
            PyTorch's op has.

    Raises:
        TypeError: a parameter is something else.
        ValueError: an int does not fit INT32.

    >>> Plugin("Scale", fields={"alpha": 0.5, "mode": "fast"})
    Plugin('Scale', '1', '', alpha: FLOAT32, mode: CHAR)
    """

    def __init__(
        self,
        name: str,
        version: str = "1",
        namespace: str = "",
        fields: Mapping[str, Any] | None = None,
        outputs: Sequence[Any] | None = None,
    ) -> None:
        self.name, self.version, self.namespace = name, version, namespace
        self.fields = {key: _field_value(key, value) for key, value in (fields or {}).items()}
        self.outputs = outputs

    def __repr__(self) -> str:
        names = [repr(n) for n in (self.name, self.version, self.namespace)]
        kinds = [
            f"{key}: {'CHAR' if isinstance(v, str) else PluginFieldType(_dtype(v)).name}"
            for key, v in self.fields.items()
        ]
        return f"Plugin({', '.join(names + kinds)})"


class PluginField:
    """A parameter of a plugin as TensorRT's API has it."""

    def __init__(self, name: str = "", data: Any = None, type: Any = None) -> None:
        self.name, self.data = name, data
        self.type = None if type is None else PluginFieldType.of(type)

    @property
    def value(self) -> Any:
        """The data as `Plugin` takes it, in the field's type."""
        if self.type is PluginFieldType.CHAR:
            return self.data if isinstance(self.data, str) else np.asarray(self.data).tobytes()
        if self.type is None:
            return self.data
        if self.type is PluginFieldType.BF16:  # as 16 bits, where it is no tensor
            data = torch.as_tensor(self.data)
            return data if data.dtype == torch.bfloat16 else data.view(torch.bfloat16)
        return torch.as_tensor(self.data).to(DataType(self.type.value).torch)


class PluginFieldCollection(list[PluginField]):
    """The parameters of a plugin as TensorRT's API has them."""


class PluginCreator:
    """What makes descriptions of one plugin, in the place of TensorRT's creators.

    Args:
        name: in the registry.
        plugin_version: in the registry.
        plugin_namespace: in the registry.
    """

    def __init__(self, name: str, plugin_version: str, plugin_namespace: str) -> None:
        self.name, self.plugin_version = name, plugin_version
        self.plugin_namespace = plugin_namespace

    def create_plugin(
        self, name: str, field_collection: Iterable[PluginField], phase: Any = TensorRTPhase.BUILD
    ) -> Plugin:
        """The plugin of these parameters, with the types of PyTorch's op as its outputs."""
        del name, phase
        fields = {field.name: field.value for field in field_collection}
        return Plugin(self.name, self.plugin_version, self.plugin_namespace, fields)


class PluginRegistry:
    """Every plugin by its names; whether TensorRT has it is seen when an engine is built."""

    def get_creator(self, type: str, version: str, plugin_namespace: str = "") -> PluginCreator:
        """The creator of a plugin."""
        return PluginCreator(type, version, plugin_namespace)

    get_plugin_creator = get_creator


def get_plugin_registry() -> PluginRegistry:
    """In the place of TensorRT's registry."""
    return PluginRegistry()


class IPluginLayer(ILayer):
    """A plugin; `plugin` says which."""

    operands = ("*",)
    _plugin: Plugin
    _shapes: int = 0
    _default: list[Type]
    _interface: str = "v3"

    @property
    def plugin(self) -> Plugin:
        """The description that it was added with."""
        return self._plugin

    def _emit(self, write: Writer) -> list[Value]:
        inputs = [self._input(index) for index in range(self.num_inputs)]
        given = self._plugin.outputs
        types = self._default if given is None else [_output_type(output) for output in given]
        return write.add(
            "plugin",
            *inputs,
            plugin=self._plugin.name,
            version=self._plugin.version,
            namespace=self._plugin.namespace,
            fields=list(self._plugin.fields.items()),
            results=types,
            shape_inputs=self._shapes,
            interface=self._interface,
        )


class IPluginV2Layer(IPluginLayer):
    """A plugin of the interface that came before IPluginV3."""

    _interface = "v2"


class IPluginV3Layer(IPluginLayer):
    """A plugin of the interface IPluginV3."""


class PluginMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_plugin_v3(
        self, inputs: Sequence[Any], shape_inputs: Sequence[Any], plugin: Plugin
    ) -> IPluginV3Layer:
        """A plugin with these inputs, and sizes that are computed from sizes; only on TensorRT."""
        return self._plugin_layer(IPluginV3Layer, inputs, shape_inputs, plugin)

    def add_plugin_v2(self, inputs: Sequence[Any], plugin: Plugin) -> IPluginV2Layer:
        """A plugin of the older interface with these inputs; only on TensorRT."""
        return self._plugin_layer(IPluginV2Layer, inputs, (), plugin)

    def _plugin_layer(
        self, kind: Any, inputs: Sequence[Any], shapes: Sequence[Any], plugin: Plugin
    ) -> Any:
        if not isinstance(plugin, Plugin):
            raise TypeError(
                f"plugin is a {type(plugin).__name__}, expected a description, which a file can "
                "hold: torch_tensorrt.dynamo.conversion.Plugin(name, version, namespace, fields)"
            )
        layer = kind(self, *inputs, *shapes)
        layer._plugin, layer._shapes = plugin, len(shapes)
        layer._default = [known for known in self.result_types if known is not None]
        if plugin.outputs is None and len(layer._default) < len(self.result_types):
            raise ValueError(
                f"plugin {plugin.name!r} has no outputs, and what the op gives is not known before "
                "it runs, expected Plugin(.., outputs=[(dtype, shape), ..])"
            )
        count = len(layer._default if plugin.outputs is None else plugin.outputs)
        layer.__dict__["outputs"] = tuple(f"output {index}" for index in range(count))
        return self._added(layer)


def _output_type(output: Any) -> Type:
    if isinstance(output, ITensor):
        value = value_of(output)
        return value.dtype, value.extents
    try:
        dtype, shape = output
        if isinstance(shape, ITensor):
            return DataType.of(dtype).value, _known(shape)
        return DataType.of(dtype).value, tuple(_size(size) for size in shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"an output is {output!r}, expected a tensor, or a dtype and a shape: {error}"
        ) from None


def _size(size: Any) -> Extent:
    if isinstance(size, ITensor):
        (known,) = _known(size)
        return known
    if not isinstance(size, int) or size < 0:
        raise ValueError(
            f"its size {size!r} is no number of 0 or more; a dynamic one is a tensor of rank 0, "
            "which add_shape and add_gather give"
        )
    return size


def _known(sizes: ITensor) -> tuple[Extent, ...]:
    content: tuple[Extent, ...] | None = value_of(sizes).content
    if content is None:
        raise ValueError(f"{sizes!r} is not computed from sizes")
    return content


def _dtype(value: torch.Tensor) -> str:
    return DataType.of(value.dtype).value if value.dtype != torch.float64 else "f64"


def _field_value(name: str, value: Any) -> FieldValue:
    """What the Network holds: characters, or a tensor of a type of fields."""
    if isinstance(value, PluginField):
        value = value.value
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray | np.generic):
        value = torch.from_numpy(np.array(value))
    if not isinstance(value, torch.Tensor):
        value = _tensor_of_numbers(name, value)
    kinds = [kind.value for kind in PluginFieldType if kind is not PluginFieldType.CHAR]
    if value.dtype not in {_torch_dtype(kind) for kind in kinds}:
        names = ", ".join(PluginFieldType.__members__)
        raise TypeError(f"field {name!r} is {value.dtype}, expected one of {names}")
    return value.detach().cpu()


def _torch_dtype(kind: str) -> torch.dtype:
    return torch.float64 if kind == "f64" else DataType(kind).torch


def _tensor_of_numbers(name: str, value: Any) -> torch.Tensor:
    try:
        numbers = torch.tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"field {name!r} is {value!r}, expected numbers, a str, bytes, an array or a tensor"
        ) from None
    if numbers.dtype.is_floating_point:
        return numbers.to(torch.float32)
    if not torch.equal(numbers.to(torch.int32).to(torch.int64), numbers.to(torch.int64)):
        raise ValueError(
            f"field {name!r} is {value!r}, expected what fits INT32; numpy.int64 makes an INT64"
        )
    return numbers.to(torch.int32)
