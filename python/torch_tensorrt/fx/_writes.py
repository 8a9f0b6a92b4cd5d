"""Which nodes of a traced graph write into tensors that others read."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator, Mapping

import torch
from torch import fx, nn

# Functions whose result may share memory with their first argument.
VIEWS = {
    "chunk", "contiguous", "detach", "diagonal", "expand", "expand_as", "flatten", "getattr",
    "getitem", "movedim", "narrow", "permute", "reshape", "select", "split", "squeeze", "swapaxes",
    "t", "tensor_split", "to", "transpose", "type_as", "unbind", "unflatten", "unfold", "unsqueeze",
    "view", "view_as",
}  # fmt: skip
_AUGMENTED = {
    operator.iadd, operator.iand, operator.ifloordiv, operator.ilshift, operator.imatmul,
    operator.imod, operator.imul, operator.ior, operator.ipow, operator.irshift, operator.isub,
    operator.itruediv, operator.ixor, operator.setitem,
}  # fmt: skip


def name_of(node: fx.Node) -> str:
    """The bare name of what a node calls: 'view' of a method, a function or an aten operator."""
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.name.partition("::")[2]
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")


def writes(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Does a node change one of its arguments?"""
    if node.op == "call_module":
        return bool(getattr(modules[str(node.target)], "inplace", False))
    if node.op not in ("call_function", "call_method"):
        return False
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.is_mutable
    name = name_of(node)
    return (
        (name.endswith("_") and not name.endswith("__"))
        or node.target in _AUGMENTED
        or bool(node.kwargs.get("inplace"))
        or node.kwargs.get("out") is not None
    )


def written_by(node: fx.Node, modules: Mapping[str, nn.Module]) -> fx.Node | None:
    """The node whose value a write changes: behind views and other writes, the one they show."""
    value = node.kwargs.get("out") or (node.args[0] if node.args else None)
    while isinstance(value, fx.Node) and value.args and _shows(value, modules):
        value = value.args[0]
    return value if isinstance(value, fx.Node) else None


def aliases_of(node: fx.Node, modules: Mapping[str, nn.Module]) -> set[fx.Node]:
    """The nodes whose value shows that of another one: views of it, and results of writes."""
    found: set[fx.Node] = set()
    waiting = [node]
    while waiting:
        for user in waiting.pop().users:
            if user not in found and _shows(user, modules):
                found.add(user)
                waiting.append(user)
    return found


def _shows(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    calls = node.op in ("call_function", "call_method")
    return (calls and name_of(node) in VIEWS) or writes(node, modules)


@contextlib.contextmanager
def kept_state(module: nn.Module) -> Iterator[None]:
    """Gives a module's buffers their values back after it was run."""
    before = [(buffer, buffer._version, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for buffer, version, value in before:
            if buffer._version != version:
                buffer.copy_(value)
