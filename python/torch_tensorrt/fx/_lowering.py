"""From any graph module, or module, to a graph of the aten operators that converters know."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import torch
from torch import fx, nn
from torch.fx import traceback as fx_traceback

from torch_tensorrt._program import Ranges
from torch_tensorrt._program.functional import functional
from torch_tensorrt._program.places import place_of
from torch_tensorrt.fx._inputs import dynamic_shapes, examples, symbol_ranges
from torch_tensorrt.fx._symbolic import user_place

# The node of the traced graph that an aten node comes from: torch.export and decompositions carry
# this entry of `meta` along.
_CUSTOM = "custom"
_SOURCE = "torchtrt_source"
# A frame of this folder in a stack trace, with its line of source.
_OWN_FRAME = re.compile(
    rf'^ *File "{re.escape(str(PurePath(__file__).parent))}.*\n(?:    .*\n?)?', re.MULTILINE
)


@dataclass
class Lowered:
    """A graph of aten operators.

    Attributes:
        module: the graph.
        values: the fake value of each of its inputs.
        ranges: of the symbolic sizes.
        inputs: what it was lowered for.
        source: the traced graph that it comes from; none where a module was exported as it stands.
        fakes: the fake value of each node of the traced graph, by its name.
    """

    module: fx.GraphModule
    values: list[Any]
    ranges: Ranges
    inputs: tuple[Any, ...]
    source: fx.GraphModule | None = None
    fakes: dict[str, Any] = field(default_factory=dict)


class CaptureError(NotImplementedError):
    """torch.export refused a node of a traced graph."""

    def __init__(self, node: fx.Node, cause: BaseException | None) -> None:
        self.node = node
        self.reason = _first_line(cause) if cause is not None else "it failed"
        inside = user_place(cause.__traceback__) if cause is not None else ""
        self.location = inside or place_of(node).location
        super().__init__(
            f"[capture] {named(node)} at {self.location or 'an unknown place'}: {self.reason}"
        )


def lower(module: nn.Module, inputs: tuple[Any, ...]) -> Lowered:
    """A graph of aten operators without writes but into its own attributes.

    Args:
        module: a traced graph, or any module that torch.export takes.
        inputs: as `to_inputs` gives them.

    Raises:
        CaptureError: a node of the traced graph cannot be captured; it has the node.
        NotImplementedError: the module cannot be exported.
        ValueError: the model fixes a dimension that `inputs` let vary.
    """
    traced = module if isinstance(module, fx.GraphModule) else None
    fakes: dict[str, Any] = {}
    with torch.no_grad():
        try:
            program = torch.export.export(
                module if traced is None else _Replay(traced, fakes),
                examples(inputs, module),
                dynamic_shapes=dynamic_shapes(inputs),
                strict=False,
            )
        except _StoppedError as stop:
            raise CaptureError(stop.node, stop.__cause__) from stop.__cause__
        except Exception as error:
            raise NotImplementedError(
                f"[capture] torch.export cannot capture {type(module).__name__}: "
                f"{_first_line(error)}"
            ) from error
        _, lowered = functional(program)
    values = [node.meta.get("val") for node in lowered.graph.find_nodes(op="placeholder")]
    ranges = symbol_ranges(values, inputs)
    if traced is not None:
        _restore_places(lowered, traced)
    return Lowered(lowered, values, ranges, inputs, traced, fakes)


def source_of(node: fx.Node) -> str | None:
    """The name of the traced graph's node that an aten node comes from."""
    name: str | None = (node.meta.get(_CUSTOM) or {}).get(_SOURCE)
    return name


class _StoppedError(Exception):
    """A node failed. No RuntimeError: on those torch.export prints the graph so far."""

    def __init__(self, node: fx.Node) -> None:
        super().__init__(node.name)
        self.node = node


class _Recorder(fx.Interpreter):
    """Runs a copy of a traced graph whose nodes are marked with the originals' names.

    What each node gave goes into `fakes`.
    """

    def __init__(self, source: fx.GraphModule, fakes: dict[str, Any]) -> None:
        copies: dict[fx.Node, fx.Node] = {}
        graph = fx.Graph()
        graph.output(graph.graph_copy(source.graph, copies))
        graph._codegen = source.graph._codegen
        for original, node in copies.items():
            node.meta = {**original.meta, _CUSTOM: {_SOURCE: original.name}}
        super().__init__(source, graph=graph)
        self.fakes = fakes
        self.originals = {node: original for original, node in copies.items()}

    def run_node(self, n: fx.Node) -> Any:
        try:
            result = super().run_node(n)
        except Exception as error:
            raise _StoppedError(self.originals[n]) from error
        if n in self.originals:
            self.fakes[self.originals[n].name] = result
        return result


class _Replay(nn.Module):
    """A traced graph as torch.export is to see it: a GraphModule it would run itself."""

    def __init__(self, source: fx.GraphModule, fakes: dict[str, Any]) -> None:
        super().__init__()
        # The same parameters and modules under the same names.
        for kind in ("_parameters", "_buffers", "_non_persistent_buffers_set", "_modules"):
            self.__dict__[kind] = source.__dict__[kind]
        self.training = source.training
        self.forward = _forward_of(source, _Recorder(source, fakes))


def _forward_of(source: fx.GraphModule, recorder: _Recorder) -> Callable[..., Any]:
    """A function with the signature of the graph, which names the arguments."""
    signature = inspect.signature(source.forward)

    def forward(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        with fx_traceback.preserve_node_meta():
            return recorder.run(*bound.args, *bound.kwargs.values())

    forward.__signature__ = signature  # type: ignore[attr-defined]
    return forward


def _restore_places(lowered: fx.GraphModule, source: fx.GraphModule) -> None:
    """Modules and lines as the user has them, not those of the replay."""
    originals = {node.name: node for node in source.graph.nodes}
    for node in lowered.graph.nodes:
        original = originals.get(source_of(node) or "")
        if original is None:
            continue
        node.meta["nn_module_stack"] = copy.copy(original.meta.get("nn_module_stack", {}))
        if not original.stack_trace:
            node.stack_trace = _OWN_FRAME.sub("", node.stack_trace or "")


def named(node: fx.Node) -> str:
    """'module encoder.gate (Gate)' or 'torch.relu', for messages."""
    module = node.graph.owning_module
    if node.op != "call_module" or module is None:
        return str(node._pretty_print_target(node.target))
    return f"module {node.target} ({type(module.get_submodule(str(node.target))).__name__})"


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
