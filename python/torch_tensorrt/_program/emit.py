"""From a compiled Program to an FX graph module that runs it."""

from __future__ import annotations

import copy
import itertools
import math
import operator
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch import fx
from torch._guards import detect_fake_mode
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._program.decode import Decoder, attribute
from torch_tensorrt._program.signature import direct
from torch_tensorrt.runtime._module import TorchTensorRTModule

_aten = torch.ops.aten
# TorchScript's arithmetic on numbers as Python's, which symbolic sizes pass through.
_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "aten::add": operator.add,
    "aten::sub": operator.sub,
    "aten::mul": operator.mul,
    "aten::div": operator.truediv,
    "aten::floordiv": operator.floordiv,
    "aten::remainder": operator.mod,
    "aten::pow": operator.pow,
    "aten::lt": operator.lt,
    "aten::le": operator.le,
    "aten::gt": operator.gt,
    "aten::ge": operator.ge,
    "aten::eq": operator.eq,
    "aten::ne": operator.ne,
    "aten::neg": operator.neg,
    "aten::floor": math.floor,
    "aten::ceil": math.ceil,
    "aten::__and__": operator.and_,
    "aten::__or__": operator.or_,
    "aten::__lshift__": operator.lshift,
    "aten::__rshift__": operator.rshift,
    "aten::__not__": torch.sym_not,
    "prim::max": torch.sym_max,
    "prim::min": torch.sym_min,
}
_SPELLINGS: dict[tuple[str, str], Any] = {
    ("aten::size", "int"): _aten.sym_size.int,
    ("aten::numel", ""): _aten.sym_numel.default,
    ("aten::stride", "int"): _aten.sym_stride.int,
    ("aten::storage_offset", ""): _aten.sym_storage_offset.default,
    ("aten::Float", "Scalar"): torch.sym_float,
    ("aten::Int", "Scalar"): torch.sym_int,
    ("aten::Int", "Tensor"): _aten.item.default,
    ("aten::Float", "Tensor"): _aten.item.default,
    ("aten::Bool", "Tensor"): _aten.item.default,
}
_ENGINE = "_run_on_acc_"


def emit(decoder: Decoder, settings: Any = None) -> fx.GraphModule:
    """A graph module like the decoder's, with the compiled Program's nodes.

    Its engines are submodules `_run_on_acc_<i>` (TorchTensorRTModule); parameters and buffers that
    what stays in PyTorch reads keep their names.
    """
    source, body = decoder.module, decoder.program.body
    root = torch.nn.Module()
    graph = fx.Graph()
    writer = _Writer(decoder, root, graph, settings)
    for node, var in zip(source.graph.find_nodes(op="placeholder"), decoder.inputs, strict=True):
        default = {"default_value": node.args[0]} if node.args else {}
        copied = graph.placeholder(str(node.target), type_expr=node.type, **default)
        copied.meta = copy.copy(node.meta)
        if var is not None:
            writer.env[var.id] = copied
    for var_id, path in decoder.states.items():
        # Its own: calls must not change the module that was compiled.
        writer.env[var_id] = writer.get_attr(path, attribute(source, path).clone())
    writer.nodes(body)
    (output,) = source.graph.find_nodes(op="output")
    _, structure = pytree.tree_flatten(output.args[0])
    flat = [writer.argument(value) for value in body.outputs]
    graph.output(pytree.tree_unflatten(flat, structure))
    graph.set_codegen(direct(source.graph._codegen))
    module = fx.GraphModule(root, _without_reads(graph), "CompiledModule")
    module.train(False)
    return module


class _Writer:
    """Writes the nodes of one block into an FX graph whose attributes live in `root`."""

    def __init__(
        self, decoder: Decoder, root: torch.nn.Module, graph: fx.Graph, settings: Any
    ) -> None:
        self.decoder, self.root, self.graph, self.settings = decoder, root, graph, settings
        self.env: dict[int, Any] = {}

    def nodes(self, block: _C.Block) -> None:
        for node in block.nodes:
            outputs = node.outputs
            results = self._node(node)
            for var, result in zip(outputs, results, strict=True):
                self.env[var.id] = result
                if isinstance(result, fx.Node) and var.id in self.decoder.metas:
                    result.meta.setdefault("val", self.decoder.metas[var.id])

    def argument(self, value: Any) -> Any:
        if isinstance(value, _C.Var):
            return self.env[value.id]
        if isinstance(value, list):
            return [self.argument(element) for element in value]
        if isinstance(value, torch.Tensor):
            path = self.decoder.constants.get(id(value))
            return self.get_attr(path, attribute(self.decoder.module, path) if path else value)
        if isinstance(value, torch._C.ScriptObject):
            return self.get_attr(None, value)
        return value

    def get_attr(self, path: str | None, value: Any) -> fx.Node:
        """A node that reads `value`, an attribute `path` of the result, or a new one."""
        if path is None:
            path = next(
                n for i in itertools.count() if not hasattr(self.root, n := f"_constant_{i}")
            )
        _set_attribute(self.root, path, value)
        node = self.graph.get_attr(path)
        node.meta["val"] = value
        return node

    def _node(self, node: _C.Node) -> list[Any]:
        kind, outputs = node.kind, node.outputs
        if kind == "tensorrt::execute_engine":
            return self._engine(node)
        args = [self.argument(value) for value in node.args]
        if kind == "prim::If":
            return self._branch(node, args[0])
        if kind == "prim::Loop":
            return self._loop(node, *args[1:])
        if kind == "prim::ListUnpack":
            return [self._call(operator.getitem, (args[0], i)) for i in range(len(outputs))]
        if kind in ("prim::ListConstruct", "prim::TupleConstruct"):
            return [args if kind == "prim::ListConstruct" else tuple(args)]
        if kind == "prim::unchecked_cast":
            return args
        if kind == "prim::NumToTensor":
            return [self._call(_aten.scalar_tensor.default, (args[0],), {"dtype": torch.int64})]
        spelled = _SPELLINGS.get((kind, node.overload))
        if spelled is None and not any(var.is_tensor for var in outputs):
            spelled = _ARITHMETIC.get(kind)
        if spelled is not None:
            results = [self._call(spelled, tuple(args))]
        else:
            results = self._operator(node, args)
        for result in results:
            self._place(result, node)
        return results

    def _operator(self, node: _C.Node, args: list[Any]) -> list[Any]:
        namespace, name = node.kind.split("::")
        packet = getattr(getattr(torch.ops, namespace), name)
        target = getattr(packet, node.overload or "default")
        positional, keywords = [], {}
        for argument, value in zip(target._schema.arguments, args, strict=True):
            if not argument.kwarg_only:
                positional.append(value)
            elif not (argument.has_default_value() and _same(value, argument.default_value)):
                keywords[argument.name] = value
        declared = target._schema.arguments
        while positional and _is_default(declared[len(positional) - 1], positional[-1]):
            positional.pop()
        call = self._call(target, tuple(positional), keywords)
        if len(node.outputs) == 1:
            return [call]
        self._place(call, node)
        return [self._call(operator.getitem, (call, i)) for i in range(len(node.outputs))]

    def _engine(self, node: _C.Node) -> list[Any]:
        inputs, engine = node.args
        count = sum(name.startswith(_ENGINE) for name in self.root._modules)
        name = f"{_ENGINE}{count}"
        module = TorchTensorRTModule(engine, settings=self.settings)
        module.weights = self.decoder.weights_of(engine)
        self.root.add_module(name, module)
        call = self.graph.call_module(name, tuple(self.argument(value) for value in inputs))
        self._place(call, node)
        if len(node.outputs) == 1:
            return [call]
        return [self._call(operator.getitem, (call, i)) for i in range(len(node.outputs))]

    def _branch(self, node: _C.Node, condition: Any) -> list[Any]:
        """torch.cond with the values of outside that its branches read as operands."""
        captured = self._captured(node)
        branches = []
        for label, block in zip(("true_graph", "false_graph"), node.blocks, strict=True):
            inner = self._inner(captured.items())
            inner.nodes(block)
            inner.graph.output(tuple(inner.argument(value) for value in block.outputs))
            branches.append(self._submodule(label, inner))
        call = self._call(
            torch.ops.higher_order.cond,
            (_unread(condition), *branches, tuple(captured.values())),
        )
        call.meta["val"] = self._values(node)
        return [self._call(operator.getitem, (call, i)) for i in range(len(node.outputs))]

    def _loop(self, node: _C.Node, enters: Any, *carried: Any) -> list[Any]:
        """while_loop, which carries the condition too: the body has it at hand."""
        (block,) = node.blocks
        _, *entries = block.inputs  # nothing reads the number of the trip
        captured = self._captured(node)
        first = (self._as_tensor(enters), *carried)
        ids = (None, *(var.id for var in entries))
        inputs = [*zip(ids, first, strict=True), *captured.items()]
        test = self._inner(inputs)
        condition = next(iter(test.graph.nodes))
        # A copy: results of control flow may not alias its operands.
        test.graph.output(test._call(_aten.clone.default, (condition,)))
        body = self._inner(inputs)
        body.nodes(block)
        goes_on, *values = (body.argument(value) for value in block.outputs)
        body.graph.output((body._as_tensor(goes_on), *values))
        call = self._call(
            torch.ops.higher_order.while_loop,
            (
                self._submodule("cond_graph", test),
                self._submodule("body_graph", body),
                first,
                tuple(captured.values()),
            ),
        )
        call.meta["val"] = (first[0].meta.get("val"), *self._values(node))
        return [self._call(operator.getitem, (call, i + 1)) for i in range(len(node.outputs))]

    def _values(self, node: _C.Node) -> tuple[Any, ...]:
        return tuple(self.decoder.metas.get(var.id) for var in node.outputs)

    def _captured(self, node: _C.Node) -> dict[int, Any]:
        """What the blocks of a node read from outside, by Var id."""
        captured: dict[int, Any] = {}
        for block in node.blocks:
            _collect_reads(block, self.env, captured)
        return captured

    def _inner(self, inputs: Iterable[tuple[int | None, Any]]) -> _Writer:
        """A writer of a graph of its own, a placeholder for each of the outer values."""
        inner = _Writer(self.decoder, torch.nn.Module(), fx.Graph(), self.settings)
        for index, (var_id, outer) in enumerate(inputs):
            placeholder = inner.graph.placeholder(f"x{index}")
            if isinstance(outer, fx.Node):
                placeholder.meta = copy.copy(outer.meta)
            if var_id is not None:
                inner.env[var_id] = placeholder
                placeholder.meta["val"] = self.decoder.metas.get(var_id)
        return inner

    def _submodule(self, label: str, inner: _Writer) -> fx.Node:
        count = sum(name.startswith(f"{label}_") for name in self.root._modules)
        name = f"{label}_{count}"
        self.root.add_module(name, fx.GraphModule(inner.root, _without_reads(inner.graph)))
        return self.graph.get_attr(name)

    def _as_tensor(self, condition: Any) -> Any:
        tensor = _unread(condition)
        if tensor is not condition:
            return tensor
        made = self._call(_aten.scalar_tensor.default, (condition,), {"dtype": torch.bool})
        with detect_fake_mode(list(self.decoder.metas.values())) or nullcontext():
            made.meta["val"] = torch.empty((), dtype=torch.bool)
        return made

    def _call(
        self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> fx.Node:
        return self.graph.call_function(target, args, kwargs or {})

    @staticmethod
    def _place(result: Any, node: _C.Node) -> None:
        if isinstance(result, fx.Node) and node.location:
            file, _, line = node.location.rpartition(":")
            result.meta["stack_trace"] = f'File "{file}", line {line}, in forward'


def _unread(condition: Any) -> Any:
    """The tensor that a condition is read from, which control flow reads by itself; or as it is."""
    if isinstance(condition, fx.Node) and condition.target is _aten.item.default:
        return condition.args[0]
    return condition


def _without_reads(graph: fx.Graph) -> fx.Graph:
    """Takes away numbers that are read from tensors for nothing."""
    for node in graph.find_nodes(op="call_function", target=_aten.item.default):
        if not node.users:
            graph.erase_node(node)
    return graph


def _collect_reads(block: _C.Block, outer: dict[int, Any], found: dict[int, Any]) -> None:
    def add(value: Any) -> None:
        if isinstance(value, _C.Var) and value.id in outer:
            found[value.id] = outer[value.id]
        elif isinstance(value, list):
            for element in value:
                add(element)

    for node in block.nodes:
        add(node.args)
        for inner in node.blocks:
            _collect_reads(inner, outer, found)
    add(block.outputs)


def _is_default(argument: Any, value: Any) -> bool:
    return bool(argument.has_default_value()) and _same(value, argument.default_value)


def _same(value: Any, default: Any) -> bool:
    return (
        not isinstance(value, fx.Node | list) and type(value) is type(default) and value == default
    )


def _set_attribute(root: torch.nn.Module, path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        if parent not in root._modules:
            root.add_module(parent, torch.nn.Module())
        root = root._modules[parent]  # type: ignore[assignment]
    if isinstance(value, torch.nn.Parameter):
        root.register_parameter(name, value)
    elif isinstance(value, torch.Tensor):
        root.register_buffer(name, value)
    else:
        setattr(root, name, value)
