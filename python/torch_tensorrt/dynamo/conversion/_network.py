"""The network that a converter writes into, with the names of TensorRT's INetworkDefinition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from torch_tensorrt.dynamo.conversion._enums import nearest
from torch_tensorrt.dynamo.conversion._images import ImageMethods
from torch_tensorrt.dynamo.conversion._indexing import IndexingMethods
from torch_tensorrt.dynamo.conversion._layout import LayoutMethods
from torch_tensorrt.dynamo.conversion._linear import LinearMethods
from torch_tensorrt.dynamo.conversion._normalization import NormalizationMethods
from torch_tensorrt.dynamo.conversion._plugins import PluginMethods
from torch_tensorrt.dynamo.conversion._pointwise import PointwiseMethods
from torch_tensorrt.dynamo.conversion._reduction import ReductionMethods
from torch_tensorrt.dynamo.conversion._slice import SliceMethods

_CONTROL = "write control flow in the model: branches are compiled one by one"
_COMPOSE = "compose it from other layers"
_WHOLE = "the compiler makes a network's inputs and outputs"
_ABSENT = {
    "add_loop": _CONTROL,
    "add_if_conditional": _CONTROL,
    "add_ragged_softmax": _COMPOSE,
    "add_moe": _COMPOSE,
    "add_dynamic_quantize": _COMPOSE,
    "add_dynamic_quantize_v2": _COMPOSE,
    "add_kv_cache_update": _COMPOSE,
    "add_rotary_embedding": _COMPOSE,
    "add_dist_collective": "an engine runs on one device",
    "add_plugin": "register the plugin with TensorRT, and use add_plugin_v3",
    "add_input": _WHOLE,
    "mark_output": _WHOLE,
    "unmark_output": _WHOLE,
}


class INetworkDefinition(
    PointwiseMethods,
    ReductionMethods,
    LinearMethods,
    ImageMethods,
    LayoutMethods,
    SliceMethods,
    IndexingMethods,
    NormalizationMethods,
    PluginMethods,
):
    """What `ctx.net` is: one add_* method a layer; docs/converters.md has the table.

    Operands are tensors of the network; arrays, torch tensors and numbers in their place become
    constants.

    Attributes:
        name: of the op that is converted, for messages.
    """

    name: str = ""

    def __getattr__(self, name: str) -> Any:
        methods = [m for m in dir(type(self)) if m.startswith("add_") and m not in _ABSENT]
        raise AttributeError(f"ctx.net has no {name!r}; nearest: {nearest(name, methods)}")


def _absent(name: str, advice: str) -> Callable[..., NoReturn]:
    def method(self: INetworkDefinition, *args: Any, **kwargs: Any) -> NoReturn:
        del self, args, kwargs
        raise NotImplementedError(f"ctx.net.{name} has no layer here; {advice}")

    method.__name__ = name
    method.__doc__ = f"Raises NotImplementedError: {advice}."
    return method


for _name, _advice in _ABSENT.items():
    setattr(INetworkDefinition, _name, _absent(_name, _advice))
