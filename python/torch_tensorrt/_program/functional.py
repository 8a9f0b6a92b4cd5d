"""A captured program without writes to its own intermediate values, and without composite ops."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import fx
from torch._ops import OpOverload
from torch.export import ExportedProgram

from torch_tensorrt._program.decompositions import decompositions, kept_whole

_aten = torch.ops.aten

# Composite ops whose result is always new memory. Composites in general may return their input,
# as dropout and reshape do, without their schema saying so.
_FRESH = {
    _aten.adaptive_avg_pool2d.default,
    _aten.batch_norm.default,
    _aten.conv1d.default,
    _aten.conv2d.default,
    _aten.conv2d.padding,
    _aten.conv3d.default,
    _aten.conv_transpose2d.input,
    _aten.group_norm.default,
    _aten.layer_norm.default,
    _aten.linear.default,
    _aten.matmul.default,
    _aten.max_pool2d.default,
    _aten.relu6.default,
}
# Their schemas do not say that they write to running statistics.
_WRITES_STATISTICS = {
    _aten.batch_norm.default: lambda args: args[3] is not None and args[5],
    _aten.instance_norm.default: lambda args: args[3] is not None and args[5],
}
_DROPOUT = {
    _aten.dropout.default,
    _aten.dropout_.default,
    _aten.feature_dropout.default,
    _aten.feature_dropout_.default,
    _aten.alpha_dropout.default,
    _aten.alpha_dropout_.default,
}
# Views of a part, by the op that gives the whole with another part.
_SCATTER: dict[Any, OpOverload] = {
    _aten.slice.Tensor: _aten.slice_scatter.default,
    _aten.select.int: _aten.select_scatter.default,
}
# Their result has the dtype of the first argument whatever the others have.
_OF_FIRST_DTYPE = {_aten.fill_, _aten.zero_, _aten.masked_fill_}


def functional(program: ExportedProgram) -> tuple[ExportedProgram, fx.GraphModule]:
    """The program with the ops that no converter takes taken apart, and its graph module.

    PyTorch's run_decompositions traces the whole program a second time. That is left out where
    every op may stay as it is, and where writes go only to values that nobody else sees.
    """
    module: Any = program.module(check_guards=False)
    table = decompositions(writes=False)
    _drop_identities(module.graph)
    if all(_stays(node, table) for node in module.graph.nodes) and _without_writes(
        module.graph, table
    ):
        module.recompile()
        return program, module
    with kept_whole():
        program = _with_aliases(program).run_decompositions(decompositions())
    lowered: Any = program.module(check_guards=False)
    return program, lowered


def _with_aliases(program: ExportedProgram) -> ExportedProgram:
    """Dropout that does nothing as the alias that it is: PyTorch takes its result for new memory.

    The names of all nodes, which the signature refers to, stay.
    """
    graph = copy.deepcopy(program.graph)
    for node in graph.nodes:
        if node.target in _DROPOUT and not node.args[2]:
            node.target, node.args = _aten.alias.default, node.args[:1]
    changed = copy.copy(program)
    changed._graph_module = fx.GraphModule(program.graph_module, graph)
    return changed


def _drop_identities(graph: fx.Graph) -> None:
    """Removes dropout that does nothing: it returns its input itself."""
    for node in list(graph.nodes):
        if node.target in _DROPOUT and not node.args[2]:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def is_higher_order(node: fx.Node) -> bool:
    """A call of functions: an operator of higher order, or where a vmap begins or ends."""
    if isinstance(node.target, torch._ops.HigherOrderOperator):
        return True
    return getattr(node.target, "__module__", "") == "torch._functorch.predispatch"


def _stays(node: fx.Node, table: dict[OpOverload, Any]) -> bool:
    if node.op != "call_function":
        return node.op in ("placeholder", "get_attr", "output")
    if is_higher_order(node):
        return False
    if isinstance(node.target, OpOverload) and node.target._schema.is_mutable:
        return True  # what it becomes is looked at below
    if node.target in table:
        return False
    writes = _WRITES_STATISTICS.get(node.target)  # type: ignore[call-overload]
    return writes is None or not writes(node.args)


def _without_writes(graph: fx.Graph, table: dict[OpOverload, Any]) -> bool:
    """Replaces ops that write in place; False: one writes to memory that another value shares."""
    for node in list(graph.nodes):
        if not isinstance(node.target, OpOverload) or not node.target._schema.is_mutable:
            continue
        pure = _pure(node.target)
        if _copies_alike(node):
            pure, source = _aten.clone.default, node.args[1]
        if pure is None or pure in table or not _keeps_dtype(node) or not _write_apart(node):
            return False
        node.target = pure
        if pure is _aten.clone.default:
            node.args, node.kwargs = (source,), {}
    return True


def _copies_alike(node: fx.Node) -> bool:
    """`x[i] += y` copies the sum, which is there already, to where it is."""
    if node.target is not _aten.copy_.default:
        return False
    to, source = (getattr(n, "meta", {}).get("val") for n in node.args[:2])
    if to is None or source is None:
        return False
    return (to.shape, to.dtype, to.device) == (source.shape, source.dtype, source.device)


def _write_apart(node: fx.Node) -> bool:
    """Later nodes use what `node` gives, and its parent with that put in where it wrote a part.

    False: the memory is shared with more than the values on the way to its first one.
    """
    views: list[fx.Node] = []
    base = node.args[0]
    while isinstance(base, fx.Node) and base.target in (*_SCATTER, _aten.alias.default):
        views.append(base)
        base = base.args[0]
    if not isinstance(base, fx.Node) or not _is_fresh(base):
        return False
    shared = [base, *views]
    users = {user for value in shared for user in value.users if user not in shared}
    if not all(_is_fresh(user) or _is_dead(user, node) for user in users if user < node):
        return False
    later = {value: [user for user in value.users if user > node] for value in shared}
    if any(view.kwargs for view in views) or any(later[view] for view in views[1:]):
        return False
    if not views:
        for user in later[base]:
            user.replace_input_with(base, node)
        return True
    later[node] = list(node.users)
    whole = node
    for view in views:
        parent: Any = view.args[0]
        scatter = _SCATTER.get(view.target)
        if scatter is None:  # an alias is all of it
            continue
        with node.graph.inserting_after(whole):
            scattered = node.graph.call_function(scatter, (parent, whole, *view.args[1:]))
        scattered.meta = {**node.meta, "val": parent.meta.get("val")}
        whole = scattered
    for user in later[base]:
        user.replace_input_with(base, whole)
    # The part is still a view: what is written to it later is written to the whole.
    part = whole
    for view in reversed(views) if later[views[0]] or later[node] else ():
        with node.graph.inserting_after(part):
            target: Any = view.target
            part = node.graph.call_function(target, (part, *view.args[1:]))
        part.meta = {**view.meta}
    for old in (views[0], node):
        for user in later[old]:
            user.replace_input_with(old, part)
    return True


def _is_dead(view: fx.Node, at: fx.Node) -> bool:
    """Is what may share memory with it used by nothing behind `at`?"""
    return all(
        user == at or (user < at and (_is_fresh(user) or _is_dead(user, at))) for user in view.users
    )


def _pure(target: OpOverload) -> OpOverload | None:
    """The op that gives what `target` writes into its first argument, with the same arguments."""
    if target is _aten.zero_.default:
        return _aten.zeros_like.default
    name = target._schema.name.removeprefix("aten::")
    packet = getattr(_aten, name.removesuffix("_"), None) if name.endswith("_") else None
    found = getattr(packet, target._overloadname, None)
    if found is None or found._schema.is_mutable:
        return None

    def arguments(op: OpOverload) -> list[tuple[str, str]]:
        return [(argument.name, str(argument.type)) for argument in op._schema.arguments]

    only_the_first = all(
        argument.alias_info is None or not argument.alias_info.is_write
        for argument in target._schema.arguments[1:]
    )
    return found if only_the_first and arguments(found) == arguments(target) else None


def _keeps_dtype(node: fx.Node) -> bool:
    """Written in place, a result keeps its dtype; computed anew, it may be promoted."""
    target: Any = node.target
    if target.overloadpacket in _OF_FIRST_DTYPE:
        return True
    own = node.meta["val"].dtype
    tensors = [n.meta["val"] for n in node.all_input_nodes if "val" in n.meta]
    numbers = [arg for arg in (*node.args, *node.kwargs.values()) if isinstance(arg, float)]
    same = all(t.dtype == own for t in tensors if isinstance(t, torch.Tensor))
    return same and (own.is_floating_point or not numbers)


def _is_fresh(node: fx.Node) -> bool:
    """Does nothing else share the memory of what the node gives?"""
    target = node.target
    if not isinstance(target, OpOverload):
        return False
    if target in _FRESH:
        return True
    composite = target.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)
    return not composite and all(r.alias_info is None for r in target._schema.returns)
