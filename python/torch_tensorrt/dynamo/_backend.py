"""The backend of torch.compile: `torch.compile(model, backend="tensorrt", options={...})`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from functorch.compile import make_boxed_func
from torch import fx

from torch_tensorrt import _C
from torch_tensorrt._program import SymbolRange, compile_graph_module, ranges_of
from torch_tensorrt._program.decompositions import decompositions
from torch_tensorrt._report import Report
from torch_tensorrt._settings import CompilationSettings, to_compiler_settings
from torch_tensorrt.dynamo.lowering import run_passes

MIN_BLOCK_SIZE = 5

_reports: list[Report] = []


def torch_tensorrt_backend(
    gm: fx.GraphModule,
    sample_inputs: Sequence[Any],
    *,
    options: Mapping[str, Any] | None = None,
    mode: str | None = None,
    **settings: Any,
) -> Callable[..., Any]:
    """Compiles one graph that Dynamo captured. Found by torch.compile under "tensorrt" and
    "torch_tensorrt"; not called by users.

    Graphs are compiled for inference: their results carry no gradients. Parameters are part of the
    engines; where one is written or replaced later, the graph is compiled again, with a line in the
    log.

    Args:
        gm: the graph.
        sample_inputs: its inputs, parameters included.
        options: compile settings, see docs/settings.md.
        mode: of torch.compile; it has no meaning here.
        settings: as options.

    Raises:
        TypeError: an unknown setting.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    >>> fast = torch.compile(model, backend="tensorrt", options={"min_block_size": 1})
    >>> with torch.no_grad():
    ...     fast(torch.ones(2, 4)).shape
    torch.Size([2, 4])
    """
    del mode
    given = {"min_block_size": MIN_BLOCK_SIZE, **(options or {}), **settings}
    converted = to_compiler_settings(given)
    parameters = [*gm.parameters(), *gm.buffers()]
    real = [*parameters, *sample_inputs]

    def compiler(gm: fx.GraphModule, example_inputs: Sequence[Any]) -> Callable[..., Any]:
        return make_boxed_func(_Graph(gm, list(example_inputs), real, converted))

    from torch._functorch.aot_autograd import aot_module_simplified

    if torch.is_grad_enabled() and any(_wants_gradient(value) for value in sample_inputs):
        _C.log(
            _C.LogLevel.Info,
            "a graph is compiled for inference although gradients are enabled: its results carry "
            "none; call it under torch.no_grad()",
        )
    with torch.no_grad(), _kept_whole() as table:
        compiled = aot_module_simplified(
            gm, list(sample_inputs), fw_compiler=compiler, decompositions=table
        )

    def run(*args: Any) -> Any:
        with torch.no_grad():
            return compiled(*args)

    return run


def compiled_graphs() -> list[Report]:
    """What became of the graphs that the backend compiled in this process, in order.

    A graph that was compiled again (new weights, a larger size) occurs again.
    """
    return list(_reports)


def _wants_gradient(value: Any) -> bool:
    leaf = isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter)
    return leaf and value.requires_grad


@contextlib.contextmanager
def _kept_whole() -> Iterator[dict[Any, Any]]:
    """Composite ops that have a converter stay one node while AOT autograd traces.

    torch.export keeps them the same way; it has no public function for that.
    """
    from torch.export import exported_program as internals

    whole: Any = decompositions()
    composite, table = internals._split_decomp_table_to_cia_and_python_decomp(whole)
    with internals._override_composite_implicit_decomp(composite):
        yield table


class _Graph:
    """A graph without writes, compiled for the constants and the ranges of sizes seen so far."""

    def __init__(
        self,
        graph: fx.GraphModule,
        values: list[Any],
        real: list[Any],
        settings: dict[str, _C.SettingValue],
    ) -> None:
        self.graph, self.settings = graph, settings
        self.values = [n.meta.get("val") for n in graph.graph.find_nodes(op="placeholder")]
        if any(value is None for value in self.values):
            self.values = values
        self.ranges = ranges_of(self.values, {})
        written = _written_inputs()
        self.constant = [
            index
            for index, value in enumerate(real)
            if _is_weight(value) and index not in written and index < len(self.values)
        ]
        self.sizes = [
            (index, axis, size.node.expr)
            for index, value in enumerate(self.values)
            for axis, size in enumerate(_sizes(value))
            if isinstance(size, torch.SymInt) and size.node.expr.is_Symbol
        ]
        # Built at the first call, when no tracing is under way any more.
        self.state: list[tuple[int, int]] | None = None

    def __call__(self, *args: Any) -> Any:
        if self._state(args) != self.state:
            if self.state is not None:
                _C.log(
                    _C.LogLevel.Info, "a weight of a compiled graph changed: it is compiled again"
                )
            self._grown(args)
            self._build(args)
        elif self._grown(args):
            shown = ", ".join(f"{s} {r.min}..{r.max}" for s, r in self.ranges.items())
            _C.log(_C.LogLevel.Info, f"a size is outside of what was compiled: again with {shown}")
            self._build(args)
        return self.run(*(args[index] for index in self.inputs))

    def _state(self, args: Sequence[Any]) -> list[tuple[int, int]]:
        return [(args[i].data_ptr(), args[i]._version) for i in self.constant]

    def _grown(self, args: Sequence[Any]) -> bool:
        """Widens the ranges that the sizes of these inputs leave."""
        grown = False
        for index, axis, symbol in self.sizes:
            size = args[index].shape[axis] if isinstance(args[index], torch.Tensor) else args[index]
            low, opt, high, guessed = self.ranges[symbol]
            if not low <= size <= high:
                opt, high = (size, 2 * size) if size > high else (opt, high)
                self.ranges[symbol] = SymbolRange(min(low, size), opt, high, guessed)
                grown = True
        return grown

    def _build(self, args: Sequence[Any]) -> None:
        graph = _with_constants(self.graph, {i: args[i] for i in self.constant})
        self.inputs = [i for i in range(len(self.values)) if i not in set(self.constant)]
        values = [self.values[i] for i in self.inputs]
        self.run = self._compiled(graph, values)
        self.state = self._state(args)

    def _compiled(self, graph: fx.GraphModule, values: list[Any]) -> Callable[..., Any]:
        graph = run_passes(graph, CompilationSettings(**self.settings))
        try:
            compiled = compile_graph_module(graph, values, self.settings, self.ranges)
        except NotImplementedError as error:
            if self.settings.get("require_full_compilation"):
                raise
            _C.log(_C.LogLevel.Warning, f"a graph stays in PyTorch: {error}")
            return graph
        self.ranges = compiled.ranges
        _reports.append(compiled.report)
        return compiled.module()


def _is_weight(value: Any) -> bool:
    """A parameter or buffer of a module, as Dynamo marks them."""
    if not isinstance(value, torch.Tensor):
        return False
    marked = getattr(value, "_dynamo_static_input_type", None) is not None
    return isinstance(value, torch.nn.Parameter) or marked


def _written_inputs() -> set[int]:
    """Inputs whose new value AOT autograd copies back after the graph."""
    context = torch._guards.TracingContext.try_get()
    metadata = context.fw_metadata if context is not None else None
    return set(metadata.mutated_inp_runtime_indices) if metadata is not None else set()


def _sizes(value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    return [value] if isinstance(value, torch.SymInt) else []


def _with_constants(graph: fx.GraphModule, constants: Mapping[int, torch.Tensor]) -> fx.GraphModule:
    """The graph with these placeholders as attributes."""
    copied = fx.Graph()
    copied.output(copied.graph_copy(graph.graph, {}))
    copy = fx.GraphModule(graph, copied)
    for index, node in enumerate(copy.graph.find_nodes(op="placeholder")):
        if index not in constants:
            continue
        name = f"weight_{index}"
        copy.register_buffer(name, constants[index].detach())
        with copy.graph.inserting_before(node):
            read = copy.graph.get_attr(name)
        read.meta = dict(node.meta)
        node.replace_all_uses_with(read)
        copy.graph.erase_node(node)
    copy.recompile()
    return copy
