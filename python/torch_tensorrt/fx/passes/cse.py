"""common_subexpression_elimination: what is computed twice is computed once."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx, nn

# Functions whose result may share memory with their first argument.
_VIEWS = {
    "chunk", "contiguous", "detach", "diagonal", "expand", "expand_as", "flatten", "getattr",
    "getitem", "movedim", "narrow", "permute", "reshape", "select", "split", "squeeze", "swapaxes",
    "t", "tensor_split", "to", "transpose", "type_as", "unbind", "unflatten", "unfold", "unsqueeze",
    "view", "view_as",
}  # fmt: skip
_RANDOM = {
    "alpha_dropout", "bernoulli", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "feature_alpha_dropout", "gumbel_softmax", "multinomial", "normal", "poisson", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "rrelu",
}  # fmt: skip
_ALLOCATING = {"empty", "empty_like", "new_empty"}


def common_subexpression_elimination(module: fx.GraphModule) -> fx.GraphModule:
    """Merges calls of the same function, method or module with the same arguments.

    Calls of random functions, of modules in training mode and of functions that write into their
    arguments stay, and so does every call whose result is written later. Results that were two
    tensors may become one: who writes into a result of the graph should clone it.
    """
    modules = dict(module.named_modules())
    seen: dict[Any, fx.Node] = {}
    writes = 0
    for node in list(module.graph.nodes):
        if _writes(node, modules):
            # Anything computed before may look different from now on.
            writes += 1
            continue
        if node.op in ("placeholder", "output") or not _is_pure(node, modules):
            continue
        if _is_written(node, modules):
            continue
        key = (writes, node.op, node.target, _key(node.args), _key(node.kwargs))
        first = seen.setdefault(key, node)
        if first is not node:
            node.replace_all_uses_with(first)
            module.graph.erase_node(node)
    module.recompile()
    return module


def _name(node: fx.Node) -> str:
    target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.name.partition("::")[2]
    return target


def _writes(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    """Does the call change one of its arguments?"""
    if node.op == "call_module":
        return bool(getattr(modules[str(node.target)], "inplace", False))
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.is_mutable
    name = _name(node)
    in_place = name.endswith("_") and not name.endswith("__")
    augmented = name.startswith("i") and getattr(operator, name, None) is node.target
    written = augmented and name not in ("index", "indexOf", "inv", "invert", "is_", "is_not")
    return (
        in_place
        or written
        or node.target is operator.setitem
        or bool(node.kwargs.get("inplace"))
        or node.kwargs.get("out") is not None
    )


def _is_written(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    """Is the result, or a view of it, written later?"""
    return any(
        _writes(user, modules)
        or (user.op != "output" and _name(user) in _VIEWS and _is_written(user, modules))
        for user in node.users
    )


def _is_pure(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    if node.op == "call_module":
        called = modules[str(node.target)]
        return not called.training and type(called).__module__.startswith("torch.nn")
    if node.op in ("call_function", "call_method"):
        return _name(node) not in _RANDOM | _ALLOCATING
    return True


def _key(value: Any) -> Any:
    """The arguments as something to compare; 1, 1.0 and True are different."""
    if isinstance(value, tuple | list):
        return (type(value).__name__, *(_key(element) for element in value))
    if isinstance(value, dict):
        return tuple((name, _key(element)) for name, element in sorted(value.items()))
    if isinstance(value, slice):
        return ("slice", _key(value.start), _key(value.stop), _key(value.step))
    if isinstance(value, fx.Node):
        return value
    return (type(value).__name__, repr(value))
