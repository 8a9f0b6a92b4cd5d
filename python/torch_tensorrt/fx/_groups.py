"""Which nodes of a graph go together into one submodule."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import fx
from torch.fx.passes.split_utils import split_by_tags
from torch.utils import _pytree as pytree

from torch_tensorrt.fx._writes import aliases_of, kept_state, writes, written_by

ACC_PREFIX = "_run_on_acc_"
GPU_PREFIX = "_run_on_gpu_"
CALLS = ("call_module", "call_function", "call_method")

_SIZE_METHODS = {"size", "dim", "numel", "ndimension", "nelement", "stride", "is_floating_point"}
_SIZE_ATTRIBUTES = {"shape", "ndim", "dtype", "device"}
_aten = torch.ops.aten
_SIZE_OPS = {_aten.sym_size.int, _aten.sym_numel.default, _aten.sym_stride.int}


class Groups(NamedTuple):
    """How a graph is split.

    Attributes:
        names: the submodule of each node that computes, by the node's name.
        shared: nodes that are not accelerated because they write, or show, another submodule's
            tensors.
    """

    names: dict[str, str]
    shared: set[str]


def host_nodes(module: fx.GraphModule, args: tuple[Any, ...]) -> tuple[set[str], set[str]]:
    """Names of the nodes that give no tensor: those that follow from sizes alone, and the others.

    Args:
        module: any graph; it is run once.
        args: tensors to run it with.
    """
    run = _Numbers(module)
    with torch.no_grad(), kept_state(module):
        run.run(*args)
    return run.of_sizes, run.of_data


class _Numbers(fx.Interpreter):
    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.of_sizes: set[str] = set()
        self.of_data: set[str] = set()

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        leaves = pytree.tree_leaves(result)
        # None is what an assignment to elements gives.
        number = result is not None and not any(isinstance(x, torch.Tensor) for x in leaves)
        if n.op in CALLS and number:
            known = _asks_for_size(n) or all(
                argument.name in self.of_sizes for argument in n.all_input_nodes
            )
            (self.of_sizes if known else self.of_data).add(n.name)
        return result


def _asks_for_size(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in _SIZE_METHODS
    if node.target is getattr:
        return node.args[1] in _SIZE_ATTRIBUTES
    return node.target in _SIZE_OPS or node.target is len


def group(
    graph: fx.Graph,
    wanted: Callable[[fx.Node], bool],
    of_sizes: set[str],
    of_data: set[str],
    min_size: int = 1,
) -> Groups:
    """The submodule of each node that computes; arithmetic on sizes has none.

    Nodes of one kind are in one submodule where no node of the other kind lies between them.

    Args:
        graph: the graph.
        wanted: whether a node may be in an accelerated submodule.
        of_sizes: nodes that follow from sizes alone, as `host_nodes` gives them.
        of_data: nodes that give other numbers.
        min_size: accelerated submodules with fewer nodes are given up.
    """
    nodes = [n for n in graph.nodes if n.op in CALLS and n.name not in of_sizes]
    owner = graph.owning_module
    modules = dict(owner.named_modules()) if owner is not None else {}
    writing = {node for node in nodes if writes(node, modules)}
    accelerated = {
        node
        for node in nodes
        if node.name not in of_data
        and not any(argument.name in of_data for argument in node.all_input_nodes)
        and wanted(node)
    }
    all_shared: set[fx.Node] = set()
    while True:
        levels = _levels(nodes, accelerated, writing, of_sizes)
        shared = _shared(levels, accelerated, writing, modules)
        if shared:
            accelerated -= shared
            all_shared |= shared
            continue
        small = {
            level
            for level in set(levels.values())
            if level % 2 == 0
            and sum(_counts(node) for node in nodes if levels[node] == level) < min_size
        }
        if not small:
            break
        accelerated -= {node for node in nodes if levels[node] in small}
    order = sorted(set(levels.values()))
    prefixes = (ACC_PREFIX, GPU_PREFIX)
    names = {level: f"{prefixes[level % 2]}{index}" for index, level in enumerate(order)}
    return Groups({node.name: names[levels[node]] for node in nodes}, {n.name for n in all_shared})


def _shared(
    levels: dict[fx.Node, int],
    accelerated: set[fx.Node],
    writing: set[fx.Node],
    modules: dict[str, torch.nn.Module],
) -> set[fx.Node]:
    """Accelerated nodes that cannot be: an engine gives new tensors, so what it writes into has to
    be its own, and a tensor that PyTorch writes into has its views in PyTorch.
    """
    shared = set()
    for node in writing:
        source = written_by(node, modules)
        if source is None or (node in accelerated and levels.get(source) == levels[node]):
            continue
        shared |= {node, *(alias for alias in aliases_of(source, modules) if alias.users)}
    return shared & accelerated


def _counts(node: fx.Node) -> bool:
    return node.target is not operator.getitem


def _levels(
    nodes: list[fx.Node], accelerated: set[fx.Node], writing: set[fx.Node], of_sizes: set[str]
) -> dict[fx.Node, int]:
    """Accelerated nodes have even levels, others odd ones; no node reads from a higher level.

    Nor is one moved over a node that writes: what is before stays at most at its level, what is
    behind at least.
    """
    levels: dict[fx.Node, int] = {}
    least = highest = 0
    for node in nodes:
        parity = 0 if node in accelerated else 1
        below = max((levels[read] for read in _reads(node, of_sizes) if read in levels), default=0)
        below = max(below, highest if node in writing else least)
        levels[node] = below + (below % 2 != parity)
        highest = max(highest, levels[node])
        if node in writing:
            least = levels[node]
    return levels


def _reads(node: fx.Node, of_sizes: set[str]) -> Iterator[fx.Node]:
    """What a node reads, also through arithmetic on sizes, which moves into its submodule."""
    for argument in node.all_input_nodes:
        if argument.name in of_sizes:
            yield from _reads(argument, of_sizes)
        else:
            yield argument


def copy_graph(module: fx.GraphModule) -> fx.GraphModule:
    """The same modules and parameters under a graph that may be changed."""
    graph = fx.Graph()
    graph.output(graph.graph_copy(module.graph, {}))
    graph._codegen = module.graph._codegen
    copy = fx.GraphModule(module, graph, type(module).__name__)
    copy.meta.update(module.meta)
    # Not train(): the modules below are the user's.
    copy.training = module.training
    return copy


def split(module: fx.GraphModule, groups: dict[str, str], of_sizes: set[str]) -> fx.GraphModule:
    """A graph module of submodules.

    Args:
        module: it is not changed.
        groups: the submodule of each node that computes, by the node's name.
        of_sizes: names of nodes that are arithmetic on sizes; each submodule computes them anew, so
            that only tensors go from one to the other.
    """
    copy = copy_graph(module)
    graph = copy.graph
    for node in graph.nodes:
        if node.name in groups:
            node.tag = groups[node.name]
    for node in reversed(list(graph.nodes)):
        if node.name not in of_sizes:
            continue
        for tag in dict.fromkeys(getattr(user, "tag", None) for user in node.users):
            with graph.inserting_before(node):
                clone = graph.node_copy(node)
            clone.tag = tag
            node.replace_all_uses_with(
                clone, lambda user, tag=tag: getattr(user, "tag", None) == tag
            )
        graph.erase_node(node)
    tags = sorted(set(groups.values()), key=_number)
    behind = f"{GPU_PREFIX}{_number(tags[-1]) + 1 if tags else 0}"
    for node in graph.nodes:
        if node.op in CALLS and getattr(node, "tag", None) is None:
            node.tag = behind  # a size that the graph returns
            tags.append(behind)
    copy.recompile()
    result = split_by_tags(copy, list(dict.fromkeys(tags)))
    assert isinstance(result, fx.GraphModule)
    placeholders = result.graph.find_nodes(op="placeholder")
    for node, original in zip(placeholders, graph.find_nodes(op="placeholder"), strict=True):
        node.target, node.args = original.target, original.args
    result.recompile()
    for submodule in (result, *result.children()):
        submodule.training = module.training
    return result


def submodule_inputs(module: fx.GraphModule, args: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    """What each submodule of a split graph is called with."""
    seen: dict[str, tuple[Any, ...]] = {}
    hooks = [
        child.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: given}))
        for name, child in module.named_children()
    ]
    try:
        with torch.no_grad(), kept_state(module):
            module(*args)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _number(tag: str) -> int:
    return int(tag.rpartition("_")[2])
