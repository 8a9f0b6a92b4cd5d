"""common_subexpression_elimination: what is computed twice is computed once."""

from __future__ import annotations

from typing import Any

from torch import fx, nn

from torch_tensorrt.fx._writes import VIEWS, name_of, writes

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
    generation = 0
    for node in list(module.graph.nodes):
        if writes(node, modules):
            # Anything computed before may look different from now on.
            generation += 1
            continue
        if node.op in ("placeholder", "output") or not _is_pure(node, modules):
            continue
        if _is_written(node, modules):
            continue
        key = (generation, node.op, node.target, _key(node.args), _key(node.kwargs))
        first = seen.setdefault(key, node)
        if first is not node:
            node.replace_all_uses_with(first)
            module.graph.erase_node(node)
    module.recompile()
    return module


def _is_written(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    """Is the result, or a view of it, written later?"""
    return any(
        writes(user, modules)
        or (user.op != "output" and name_of(user) in VIEWS and _is_written(user, modules))
        for user in node.users
    )


def _is_pure(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    if node.op == "call_module":
        called = modules[str(node.target)]
        return not called.training and type(called).__module__.startswith("torch.nn")
    if node.op in ("call_function", "call_method"):
        return name_of(node) not in _RANDOM | _ALLOCATING
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
