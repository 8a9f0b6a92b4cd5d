"""TRTSplitter: a traced graph as submodules that an engine takes and others that it does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.fx.passes.operator_support import OperatorSupportBase
from torch.utils import _pytree as pytree

from torch_tensorrt._program.places import place_of
from torch_tensorrt._program.shapes import at_point, number_of
from torch_tensorrt._settings import to_compiler_settings
from torch_tensorrt.fx._capture import capture
from torch_tensorrt.fx._groups import (
    ACC_PREFIX,
    CALLS,
    GPU_PREFIX,
    group,
    host_nodes,
    split,
    submodule_inputs,
)
from torch_tensorrt.fx._inputs import examples, to_inputs
from torch_tensorrt.fx._lowering import named
from torch_tensorrt.fx._support import Support, supports
from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec

_META = "torchtrt_support"


@dataclass
class TRTSplitterSetting:
    """How a graph is split.

    Attributes:
        min_acc_module_size: fewest nodes that are worth an accelerated submodule.
        max_acc_splits: most accelerated submodules; -1: any number.
        exclude_support_node_name: names of nodes that stay in PyTorch.
        skip_fusion: no effect; nodes that belong together are not looked for.
        allow_non_tensor: no effect; sizes are computed anew in each submodule, so only tensors go
            from one to the other.
        use_implicit_batch_dim: no effect; the batch is explicit.
        use_experimental_rt: no effect; there is one runtime.
        settings: compile settings to ask the engine with, see docs/settings.md.
    """

    min_acc_module_size: int = 1
    max_acc_splits: int = -1
    exclude_support_node_name: Collection[str] = ()
    skip_fusion: bool = False
    allow_non_tensor: bool = False
    use_implicit_batch_dim: bool = False
    use_experimental_rt: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


class SplitResult(NamedTuple):
    """A split graph.

    Attributes:
        split_module: calls its submodules `_run_on_acc_<i>` and `_run_on_gpu_<i>`.
        submodule_inputs: what each submodule is called with for the sample inputs.
        submodule_specs: the same as InputTensorSpecs, with ranges where sample inputs have some.
        non_acc_submodule_prefix: how submodules that stay in PyTorch are called.
    """

    split_module: fx.GraphModule
    submodule_inputs: dict[str, tuple[Any, ...]]
    submodule_specs: dict[str, list[InputTensorSpec]]
    non_acc_submodule_prefix: str = GPU_PREFIX


class TRTOperatorSupport(OperatorSupportBase):
    """Takes what the engine takes, but for some names.

    Args:
        exclude_support_node_name: names of nodes that stay in PyTorch.
    """

    def __init__(self, exclude_support_node_name: Collection[str] = ()) -> None:
        self.excluded = set(exclude_support_node_name)

    def is_node_supported(self, submodules: Mapping[str, nn.Module], node: fx.Node) -> bool:
        """Whether an engine takes the node; a splitter has asked before."""
        return node.name not in self.excluded and bool(node.meta.get(_META, Support(True)).engine)


def create_trt_operator_support(
    use_implicit_batch_dim: bool = False,
    exclude_support_node_name: Collection[str] = (),
    use_experimental_rt: bool = False,
) -> OperatorSupportBase:
    """What a splitter uses unless it is given something else.

    Args:
        use_implicit_batch_dim: no effect; the batch is explicit.
        exclude_support_node_name: names of nodes that stay in PyTorch.
        use_experimental_rt: no effect; there is one runtime.
    """
    del use_implicit_batch_dim, use_experimental_rt
    return TRTOperatorSupport(exclude_support_node_name)


class TRTSplitter:
    """Splits a traced graph by what an engine takes. Nothing is built.

    Args:
        module: what `fx.trace` gave; it is not changed.
        sample_inputs: one element per argument: a tensor, an `InputTensorSpec` or a
            torch_tensorrt.Input.
        operator_support: decides for each node, in the place of the engine's own answer.
        settings: see `TRTSplitterSetting`.

    Attributes:
        support: the answer for each node that computes, by its name.
        report: of the dry run: every aten operator.

    Raises:
        ValueError: more submodules than `max_acc_splits`, or an excluded name that no node has.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx.tools.trt_splitter import TRTSplitter
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    >>> x = torch.ones(2, 4)
    >>> splitter = TRTSplitter(torch_tensorrt.fx.trace(model, [x]), [x])
    >>> [name for name, _ in splitter().named_children()]
    ['_run_on_acc_0']
    """

    def __init__(
        self,
        module: fx.GraphModule,
        sample_inputs: Sequence[Any],
        operator_support: OperatorSupportBase | None = None,
        settings: TRTSplitterSetting | None = None,
    ) -> None:
        self.module, self.settings = module, settings or TRTSplitterSetting()
        self._check_excluded()
        self._inputs = to_inputs(sample_inputs)
        self._captured = capture(module, self._inputs)
        self._of_sizes, of_data = host_nodes(module, examples(self._inputs, module))
        options = to_compiler_settings(self.settings.settings)
        answers, self.report = supports(self._captured, options)
        for node in module.graph.nodes:
            node.meta[_META] = answers.get(node.name, Support(True))
        decide = operator_support or create_trt_operator_support(
            exclude_support_node_name=self.settings.exclude_support_node_name
        )
        modules = dict(module.named_modules())
        wanted = {
            node: decide.is_node_supported(modules, node)
            for node in module.graph.nodes
            if node.op in CALLS
        }
        self._groups = group(
            module.graph,
            wanted.__getitem__,
            self._of_sizes,
            of_data,
            self.settings.min_acc_module_size,
        )
        self.support = {
            node.name: self._explained(node, wanted[node], of_data)
            for node in module.graph.nodes
            if node.name in self._groups.names
        }
        self._check_count()

    def __call__(self) -> fx.GraphModule:
        """The split graph."""
        return split(self.module, self._groups.names, self._of_sizes)

    def generate_split_results(self) -> SplitResult:
        """The split graph, and what its submodules are called with."""
        module = self()
        given = submodule_inputs(module, examples(self._inputs, module))
        specs = {
            name: [
                self._spec(node.name, value)
                for node, value in zip(
                    child.graph.find_nodes(op="placeholder"), given[name], strict=True
                )
                if isinstance(value, torch.Tensor)
            ]
            for name, child in module.named_children()
            if isinstance(child, fx.GraphModule)
        }
        return SplitResult(module, given, specs)

    def node_support_preview(self) -> str:
        """A line a node: its name, what it calls, and the engine or the reason why not."""
        nodes = {node.name: node for node in self.module.graph.nodes}
        rows = []
        for name, answer in self.support.items():
            place = place_of(nodes[name]).location
            where = "engine" if answer.engine else f"PyTorch: {answer.reason}"
            rows.append((name, named(nodes[name]), where + (f"  # {place}" if place else "")))
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
        return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows)

    def split_preview(self) -> str:
        """A line a submodule: its name and its nodes."""
        members: dict[str, list[str]] = {}
        for name, tag in self._groups.names.items():
            members.setdefault(tag, []).append(name)
        order = sorted(members, key=lambda tag: int(tag.rpartition("_")[2]))
        return "\n".join(f"{tag}: {', '.join(members[tag])}" for tag in order)

    def _explained(self, node: fx.Node, wanted: bool, of_data: set[str]) -> Support:
        answer: Support = node.meta[_META]
        if self._groups.names[node.name].startswith(ACC_PREFIX):
            return Support(True)
        if not answer.engine:
            return answer
        if not wanted:
            return Support(False, "user", "the operator support refuses it")
        if node.name in of_data or any(a.name in of_data for a in node.all_input_nodes):
            return Support(False, "type", "it gives or takes a number that depends on data")
        if node.name in self._groups.shared:
            return Support(False, "shared", "it writes, or shows, a tensor of another submodule")
        least = self.settings.min_acc_module_size
        return Support(
            False, "min_block_size", f"its group has fewer than min_acc_module_size={least} nodes"
        )

    def _spec(self, name: str, value: torch.Tensor) -> InputTensorSpec:
        """The spec of a value of the traced graph."""
        spec = InputTensorSpec.from_tensor(value)
        whole = self._captured.pieces.get("")
        fake = None if whole is None else _only_tensor(whole.fakes.get(name))
        if whole is None or fake is None:
            return spec
        points = []
        for point in ("min", "opt", "max"):
            numbers = {symbol: at_point(size, point) for symbol, size in whole.ranges.items()}
            points.append(tuple(number_of(size, numbers) for size in fake.shape))
        low, opt, high = points
        if low == high:
            return spec
        shape = tuple(a if a == b else -1 for a, b in zip(low, high, strict=True))
        return spec._replace(shape=shape, shape_ranges=[(low, opt, high)])

    def _check_excluded(self) -> None:
        names = {node.name for node in self.module.graph.nodes}
        unknown = [n for n in self.settings.exclude_support_node_name if n not in names]
        if unknown:
            raise ValueError(
                f"exclude_support_node_name has {', '.join(unknown)}, which no node of the "
                "graph is called"
            )

    def _check_count(self) -> None:
        count = len({tag for tag in self._groups.names.values() if tag.startswith(ACC_PREFIX)})
        most = self.settings.max_acc_splits
        if 0 <= most < count:
            raise ValueError(
                f"the graph becomes {count} accelerated submodules, expected at most {most}: "
                "raise min_acc_module_size or max_acc_splits"
            )


def _only_tensor(value: Any) -> torch.Tensor | None:
    leaves = pytree.tree_leaves(value)
    return leaves[0] if len(leaves) == 1 and isinstance(leaves[0], torch.Tensor) else None
