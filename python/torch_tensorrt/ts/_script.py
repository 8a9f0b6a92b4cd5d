"""From whatever the user has to a torch.jit.ScriptModule, and from inputs to a signature."""

from __future__ import annotations

import inspect
import warnings
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from torch_tensorrt import _C
from torch_tensorrt._enums import memory_format
from torch_tensorrt._Input import Input, distinct, kind_of

Script = torch.jit.ScriptModule
_Value = bool | int | float | str | None


def to_script(
    module: Any, inputs: Any, method: str = "forward", keywords: Mapping[str, Any] | None = None
) -> Script:
    """The module scripted; where scripting fails and there are inputs to trace it with, traced.

    Raises:
        TypeError: `module` is neither a module nor a scripted function.
        ValueError: it can be neither scripted nor traced; the message has scripting's own.
    """
    if isinstance(module, Script):
        return module
    if isinstance(module, torch.jit.ScriptFunction):
        return _method_of_function(module)
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"module is {kind_of(module)}, expected a torch.nn.Module or a torch.jit.ScriptModule"
        )
    with warnings.catch_warnings():
        # torch.jit's own deprecation, which the caller cannot act on.
        warnings.simplefilter("ignore")
        try:
            return torch.jit.script(module)
        except Exception as error:
            reason = str(error).strip() or type(error).__name__
        name = type(module).__name__
        if method != "forward" or not (inputs or keywords):
            raise ValueError(
                f"{name} cannot be scripted, and there are no inputs to trace it with: {reason}"
            )
        headline = next(line.strip() for line in reason.splitlines() if line.strip())
        _C.log(
            _C.LogLevel.Info,
            f"{name} cannot be scripted, so it is traced with the example inputs: {headline}",
        )
        return _traced(module, inputs, keywords or {})


def _traced(module: torch.nn.Module, inputs: Any, keywords: Mapping[str, Any]) -> Script:
    options: dict[str, Any] = {"check_trace": False, "strict": False}
    if keywords:
        names = inspect.signature(module.forward).parameters
        positional = dict(zip(names, example(inputs), strict=False))
        options["example_kwarg_inputs"] = distinct({**positional, **example(keywords)})
    else:
        options["example_inputs"] = distinct(example(inputs))
    with torch.no_grad():
        traced: Script = torch.jit.trace(module, **options)
    # PyTorch keeps the methods of traced modules, stacks of every op included, for good.
    weakref.finalize(traced, _C.drop_methods, traced._c).atexit = False
    return traced


def _method_of_function(function: Any) -> Script:
    """A module whose forward is the function."""
    arguments = function.schema.arguments
    declared = ", ".join(f"{a.name}: {a.type.annotation_str}" for a in arguments)
    passed = ", ".join(a.name for a in arguments)
    # A class of its own: TorchScript shares a type, methods included, between modules of a class.
    wrapper = torch.jit.script(type("Function", (torch.nn.Module,), {})())
    # The name `function` below is looked up in this frame.
    wrapper.define(f"def forward(self, {declared}):\n    return function({passed})\n")
    return wrapper


def example(spec: Any) -> Any:
    """Example tensors in the place of Inputs; the arguments as a tuple."""
    if isinstance(spec, torch.Tensor | _Value):
        return spec
    if isinstance(spec, Input):
        return spec.torch_tensor
    if isinstance(spec, Mapping):
        return {key: example(value) for key, value in spec.items()}
    if isinstance(spec, torch.Size) or (
        isinstance(spec, Sequence) and spec and isinstance(spec[0], int)
    ):
        return Input(spec).torch_tensor
    if isinstance(spec, Sequence) and not isinstance(spec, str):
        return tuple(example(element) for element in spec)
    raise _unknown_input(spec)


def to_signature(inputs: Sequence[Any]) -> _C.Signature:
    """One argument an element: Input, tensor, shape, value, or a tuple, list or dict of those."""
    no_list = isinstance(inputs, torch.Tensor | Input | str | bytes)
    if no_list or not isinstance(inputs, Sequence):
        raise ValueError(
            f"inputs is {_shown(inputs)}, expected a list with one element per argument"
        )
    return _C.Signature.tuple([_signature(element) for element in inputs])


def _signature(spec: Any) -> _C.Signature:
    if isinstance(spec, torch.Tensor):
        return _leaf(Input.from_tensor(spec))
    if isinstance(spec, _Value):
        return _C.Signature.value(spec)
    if isinstance(spec, Input):
        return _leaf(spec)
    if isinstance(spec, Mapping):
        if any(not isinstance(key, str) for key in spec):
            raise ValueError(f"an input is a dict with the keys {list(spec)}, expected str keys")
        return _C.Signature.dict(list(spec), [_signature(value) for value in spec.values()])
    if isinstance(spec, torch.Size) or (
        isinstance(spec, tuple | list) and spec and isinstance(spec[0], int)
    ):
        return _leaf(Input(spec))
    if isinstance(spec, tuple):
        return _C.Signature.tuple([_signature(element) for element in spec])
    if isinstance(spec, list):
        return _C.Signature.list([_signature(element) for element in spec])
    raise _unknown_input(spec)


def _leaf(spec: Input) -> _C.Signature:
    if spec.format not in (memory_format.linear, memory_format.hwc):
        raise ValueError(
            f"format of an input is {spec.format.name}, expected contiguous or channels_last"
        )
    if spec.is_shape_tensor:
        raise NotImplementedError(
            "an input is a shape tensor, expected data; pass sizes as shapes of tensors"
        )
    element_type = spec.dtype.to(torch.dtype) if spec._explicit_set_dtype else None
    channels_last = spec.format is memory_format.hwc
    return _C.Signature.leaf(
        list(spec.min_shape),
        list(spec.opt_shape),
        list(spec.max_shape),
        element_type,
        channels_last,
        spec.name,
    )


def _unknown_input(spec: object) -> ValueError:
    return ValueError(
        f"an input is {_shown(spec)}, expected a torch_tensorrt.Input, a tensor, a shape, a "
        "number, a str, None, or a tuple, list or dict of those"
    )


def _shown(spec: object) -> str:
    return (
        f"a tensor of shape {tuple(spec.shape)}" if isinstance(spec, torch.Tensor) else repr(spec)
    )
