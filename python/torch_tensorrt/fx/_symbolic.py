"""Symbolic tracing: torch.fx's Tracer with leaf modules, places in the source, and errors that say
where a trace stops and what to do.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import linecache
import operator
import os
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePath
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import fx, nn
from torch.fx.proxy import TraceError

_TORCH = str(PurePath(torch.__file__).parent) + os.sep
_OURS = str(PurePath(__file__).parent) + os.sep
_HINT = (
    "a symbolic trace cannot hold that; trace aten operators (aten=True, is_aten=True; torch.cond "
    "keeps both branches of an if), make the module a leaf, or use ir='dynamo'"
)


def symbolic_trace(
    module: nn.Module,
    count: int | None = None,
    leaf_modules: Collection[type[nn.Module]] = (),
    concrete_args: Mapping[str, Any] | None = None,
) -> fx.GraphModule:
    """The module's forward as a graph of torch functions, methods and leaf modules.

    Args:
        module: the module; it is not changed, its parameters are shared.
        count: how many arguments are given when it is called; the others keep their defaults.
        leaf_modules: classes that become one node each, beside those of torch.nn.
        concrete_args: arguments that are constants of the graph.

    Raises:
        NotImplementedError: the forward asks for the value of a tensor; the message has the line.
    """
    fixed = {**_left_out(module, count), **(concrete_args or {})}
    tracer = _Tracer(module, tuple(leaf_modules), fixed)
    try:
        graph = tracer.trace(module)
    except (TraceError, TypeError, RuntimeError, ValueError, IndexError) as error:
        if not _is_about_tracing(error):
            raise
        place = user_place(error.__traceback__) or "an unknown place"
        reason = str(error).splitlines()[0]
        raise NotImplementedError(f"[capture] {place}: {reason}; {_HINT}") from error
    traced = fx.GraphModule(tracer.root, graph, type(module).__name__)
    # Not train(): the modules below are the user's.
    traced.training = module.training
    root = {"": ("", type(module))}
    for node in graph.nodes:
        node.meta["nn_module_stack"] = {**root, **node.meta.get("nn_module_stack", {})}
    return traced


class _Tracer(fx.Tracer):
    def __init__(
        self, module: nn.Module, leaves: tuple[type[nn.Module], ...], fixed: Mapping[str, Any]
    ) -> None:
        super().__init__()
        # Else a write into a buffer would happen while tracing, and not in the graph.
        self.proxy_buffer_attributes = True
        self.leaves, self.fixed = leaves, fixed
        self.tensors = {
            **dict(module.named_parameters(remove_duplicate=False)),
            **dict(module.named_buffers(remove_duplicate=False)),
        }

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, (*self.leaves, torch.jit.ScriptModule)):
            return True
        # The base class takes a GraphModule for PyTorch's own.
        graph = isinstance(m, fx.GraphModule)
        return not graph and super().is_leaf_module(m, module_qualified_name)

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: Any,
        kwargs: Any,
        name: str | None = None,
        type_expr: Any = None,
        proxy_factory_fn: Any = None,
    ) -> Any:
        if kind == "placeholder" and target in self.fixed:
            return self.fixed[target]
        if kind == "get_attr" and target in self.tensors:
            proxy_factory_fn = functools.partial(_AttributeProxy, self, self.tensors[target])
        proxy = super().create_proxy(kind, target, args, kwargs, name, type_expr, proxy_factory_fn)
        stack = traceback.walk_stack(sys._getframe(1))
        within = itertools.takewhile(lambda f: f[0].f_code is not symbolic_trace.__code__, stack)
        frames = _user_frames(within)
        if frames and not proxy.node.stack_trace:
            proxy.node.stack_trace = "\n".join(_formatted(*frame) for frame in reversed(frames))
        return proxy

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def to_bool(self, obj: fx.Proxy) -> bool:
        raise TraceError(f"control flow depends on the data of {_described(obj)}")

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        raise TraceError(f"a loop over {_described(obj)} has as many rounds as its data say")


class _Proxy(fx.Proxy):
    """A stand-in whose elements can be assigned."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, key, value), {})


class _AttributeProxy(_Proxy):
    """A parameter or buffer: what does not depend on its elements is a constant."""

    def __init__(self, tracer: fx.Tracer, value: torch.Tensor, node: fx.Node) -> None:
        super().__init__(node, tracer)
        self.shape, self.dtype, self.device = value.shape, value.dtype, value.device
        self.ndim = value.dim()

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self.shape.numel()

    def __len__(self) -> int:
        return self.shape[0]


def _described(obj: fx.Proxy) -> str:
    node = obj.node
    called = "" if node.op == "placeholder" else f" ({node._pretty_print_target(node.target)})"
    return f"{node.name}{called}"


def _left_out(module: nn.Module, count: int | None) -> dict[str, Any]:
    """Arguments that are not given, with their defaults: a trace would take them for tensors."""
    if count is None:
        return {}
    found: dict[str, Any] = {}
    for index, parameter in enumerate(inspect.signature(module.forward).parameters.values()):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            count = index
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found[f"**{parameter.name}"] = {}
        elif index >= count and parameter.default is not inspect.Parameter.empty:
            found[parameter.name] = parameter.default
    return found


def _is_about_tracing(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, TraceError) or "Proxy" in text or "symbolic" in text


def user_place(trace: TracebackType | None) -> str:
    """'model.py:41 `if x.sum() > 0:`' of the innermost frame that is the user's; '' without one."""
    frames = _user_frames(traceback.walk_tb(trace))
    if not frames:
        return ""
    frame, line = frames[-1]
    source = linecache.getline(frame.f_code.co_filename, line).strip()
    return f"{PurePath(frame.f_code.co_filename).name}:{line}" + (f" `{source}`" if source else "")


def _user_frames(frames: Iterable[tuple[FrameType, int]]) -> list[tuple[FrameType, int]]:
    """Frames of the code that is being traced, not PyTorch's or ours."""
    return [f for f in frames if not f[0].f_code.co_filename.startswith((_TORCH, _OURS))]


def _formatted(frame: FrameType, line: int) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, line).strip()
    return f'  File "{code.co_filename}", line {line}, in {code.co_name}\n    {source}'
