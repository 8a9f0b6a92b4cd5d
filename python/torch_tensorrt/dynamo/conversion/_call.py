"""One call of a user's converter: the compiler's values in, the compiler's values out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import fx

from torch_tensorrt import _C
from torch_tensorrt._settings import current_settings
from torch_tensorrt.dynamo.conversion._context import ConversionContext
from torch_tensorrt.dynamo.conversion._layer import value_of
from torch_tensorrt.dynamo.conversion._network import INetworkDefinition

Converter = Callable[..., Any]
_ENUMS = (torch.dtype, torch.layout, torch.memory_format)
_HERE = str(Path(__file__).parent)


class ConverterError(RuntimeError):
    """What a converter or a validator raised, with the line."""


def call_converter(
    function: Converter,
    node: fx.Node,
    builder: _C.NetworkBuilder,
    given: tuple[Sequence[Any], dict[str, Any]],
    where: str,
    result_types: Sequence[Any],
) -> Any:
    """The results of `function` as the compiler takes them.

    Args:
        function: the converter.
        node: what it converts.
        builder: writes the Network.
        given: positional and named arguments: values of the Network, and constants.
        where: the op and its place in the model.
        result_types: dtype and sizes of the op's results, None where not known.

    Raises:
        ConverterError: the converter raised something; its text has the kind and the line.
    """
    net = INetworkDefinition(builder)
    net.name, net.result_types = where, result_types
    ctx = ConversionContext(net, current_settings(), node)
    args = tuple(_argument(net, a, of) for a, of in zip(given[0], node.args, strict=True))
    kwargs = {name: _argument(net, a, node.kwargs[name]) for name, a in given[1].items()}
    try:
        returned = function(ctx, node.target, args, kwargs, where)
        results = _results(net, returned, node)
    except Exception as error:
        raise failure(error) from error
    finally:
        net.close()
    return results


def failure(error: Exception) -> ConverterError:
    """The error with the line of the user's code that raised it."""
    _C.log(_C.LogLevel.Debug, "".join(traceback.format_exception(error)))
    text = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith(_HERE)]
    if users and f"({Path(users[-1].filename).name}:" not in text:
        text += f" ({Path(users[-1].filename).name}:{users[-1].lineno})"
    return ConverterError(text)


def _argument(net: INetworkDefinition, value: Any, of_node: Any) -> Any:
    if isinstance(value, _C.Value):
        return net.tensor(value)
    if isinstance(value, list | tuple):
        return [_argument(net, element, None) for element in value]
    return of_node if isinstance(of_node, _ENUMS) else value


def _results(net: INetworkDefinition, returned: Any, node: fx.Node) -> Any:
    target: Any = node.target
    declared = target._schema.returns
    if returned is None:
        raise TypeError("it returned None, expected a tensor of ctx.net")
    one = len(declared) == 1
    if one and not str(declared[0].type).startswith("List"):
        if isinstance(returned, list | tuple) and len(returned) == 1:
            returned = returned[0]
        return _result(net, returned, node.meta["val"], first=True)
    examples = node.meta["val"]
    count = len(examples) if isinstance(examples, list | tuple) else None
    if not isinstance(returned, list | tuple) or (count is not None and len(returned) != count):
        got = f"{len(returned)} results" if isinstance(returned, list | tuple) else repr(returned)
        names = ", ".join(r.name for r in declared if r.name)
        raise TypeError(f"it returned {got}, expected {count} tensors{names and f': {names}'}")
    return [
        _result(net, value, examples[index] if examples else None, first=index == 0)
        for index, value in enumerate(returned)
    ]


def _result(net: INetworkDefinition, returned: Any, example: Any, *, first: bool) -> _C.Value:
    tensor = net.tensor(returned, "its result")
    value = value_of(tensor)
    # TensorRT's indices are INT32 where PyTorch's are int64.
    if value.dtype == "i32" and isinstance(example, torch.Tensor) and example.dtype == torch.int64:
        value = net.writer.cast(value, "i64")
    return net.checked(value) if first else value
