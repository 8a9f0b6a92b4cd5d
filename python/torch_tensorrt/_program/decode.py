"""From an FX graph of aten ops to a Program: node by node, nothing is rewritten here."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from functools import cache, reduce
from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._program import flex_attention
from torch_tensorrt._program.places import place_of, where
from torch_tensorrt._program.shapes import is_input
from torch_tensorrt.runtime._module import TorchTensorRTModule

Number = int | float | bool

# Arithmetic on symbolic numbers, by TorchScript's operator, whose overloads are named by types.
_ARITHMETIC: dict[Callable[..., Any], str] = {
    operator.add: "aten::add",
    operator.sub: "aten::sub",
    operator.mul: "aten::mul",
    operator.truediv: "aten::div",
    operator.floordiv: "aten::floordiv",
    operator.mod: "aten::remainder",
    operator.pow: "aten::pow",
    operator.and_: "aten::__and__",
    operator.or_: "aten::__or__",
    operator.lshift: "aten::__lshift__",
    operator.rshift: "aten::__rshift__",
    operator.lt: "aten::lt",
    operator.le: "aten::le",
    operator.gt: "aten::gt",
    operator.ge: "aten::ge",
    operator.eq: "aten::eq",
    operator.ne: "aten::ne",
    operator.neg: "aten::neg",
    math.floor: "aten::floor",
    math.ceil: "aten::ceil",
    torch.sym_max: "prim::max",
    torch.sym_min: "prim::min",
    max: "prim::max",
    min: "prim::min",
}
_FIXED: dict[Callable[..., Any], tuple[str, str]] = {
    torch.sym_not: ("aten::__not__", ""),
    operator.not_: ("aten::__not__", ""),
    torch.sym_float: ("aten::Float", "Scalar"),
    torch.sym_int: ("aten::Int", "Scalar"),
    math.trunc: ("aten::Int", "Scalar"),
}
_aten = torch.ops.aten
_SIZES: dict[Any, tuple[str, str]] = {
    _aten.sym_size.int: ("aten::size", "int"),
    _aten.sym_numel.default: ("aten::numel", ""),
    _aten.sym_stride.int: ("aten::stride", "int"),
    _aten.sym_storage_offset.default: ("aten::storage_offset", ""),
}
# What a number read from a tensor becomes, by the type that the graph gives it.
_READS = {
    int: ("aten::Int", "Tensor"),
    float: ("aten::Float", "Tensor"),
    bool: ("aten::Bool", "Tensor"),
}
_READING = {_aten.item.default, _aten._local_scalar_dense.default}
_execute = torch.ops.tensorrt.execute_engine.default
# Engines give contiguous results, which a view that was traced on others may refuse.
_RESPELLED = {_aten.view.default: _aten.reshape.default}
# Checks that tracing leaves behind; the engine checks its inputs itself.
_CHECKS = {
    _aten._assert_tensor_metadata.default,
    _aten.sym_constrain_range.default,
    _aten.sym_constrain_range_for_size.default,
}
# As many as the loops of TorchScript that are unrolled.
_STEPS, _NODES = 256, 8192
_INLINED = ("wrap_with_set_grad_enabled", "wrap_with_autocast", "wrap")


class Decoder:
    """One graph module as a Program.

    Args:
        module: a graph of aten ops.
        values: the fake value of each placeholder; constants (None, str, ...) are no inputs.

    Attributes:
        program: the result of `run`.
        inputs: the Var of each placeholder, None for constants.
        states: the attribute of the graph module behind each Var that is a state, by Var id.
        constants: the attribute of the graph module that a tensor comes from, by the tensor's id().
        metas: the fake value that the graph has for each Var, by Var id.
    """

    def __init__(self, module: fx.GraphModule, values: list[Any]) -> None:
        self.module = module
        self.program = _C.Program()
        self.inputs: list[Any] = []
        self.states: dict[int, str] = {}
        self.constants: dict[int, str] = {}
        self.metas: dict[int, Any] = {}
        self._kept: list[torch.Tensor] = []  # so that id() stays theirs
        self._env: dict[fx.Node, Any] = {}
        placeholders = module.graph.find_nodes(op="placeholder")
        for node, value in zip(placeholders, values, strict=True):
            var = self.program.input(str(node.target), _kind(value)) if is_input(value) else None
            self.inputs.append(var)
            self._env[node] = var or value
            self._remember(node, var)

    def run(self) -> _C.Program:
        """Decodes all nodes."""
        self._add_states()
        self.program.finish(self._nodes(self.module, self.program.body, self._env))
        return self.program

    def weights_of(self, engine: Any) -> dict[str, list[int]]:
        """The engine's constants that are weights of the module as they stand, by name."""
        names = {tensor.data_ptr(): self.constants[id(tensor)] for tensor in self._kept}
        weights: dict[str, list[int]] = {}
        for value, place in engine.weights():
            if place in names:
                weights.setdefault(names[place], []).append(value)
        return weights

    def derived(self, direct: set[str]) -> list[str]:
        """Constants that are also in the engines in another form than their own.

        Args:
            direct: those that are constants of an engine, or attributes of the compiled module.
        """
        places = set(self.program.computed_with)
        return sorted(
            {
                self.constants[id(tensor)]
                for tensor in self._kept
                if tensor.data_ptr() in places or self.constants[id(tensor)] not in direct
            }
        )

    def _add_states(self) -> None:
        for target in _written_attributes(self.module.graph):
            tensor = attribute(self.module, target)
            var = self.program.state(target.replace(".", "_"), tensor)
            self.states[var.id] = target
            for node in self.module.graph.find_nodes(op="get_attr"):
                if node.target == target:
                    self._env[node] = var
                    self._remember(node, var)

    def _constant(self, target: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            value = value.detach()
            self._kept.append(value)
            self.constants[id(value)] = target
        return value

    def _nodes(self, module: fx.GraphModule, block: _C.Block, env: dict[fx.Node, Any]) -> list[Any]:
        for node in module.graph.nodes:
            if node.op == "output":
                flat, _ = pytree.tree_flatten(node.args[0])
                return [self._lookup(value, env) for value in flat]
            if node in env or node.op == "placeholder":
                continue
            if node.op == "get_attr":
                env[node] = self._constant(str(node.target), attribute(module, str(node.target)))
            elif node.op == "call_function":
                env[node] = self._call(node, block, env, module)
                self._remember(node, env[node])
            elif node.op == "call_module":
                env[node] = self._engine(node, block, env, module)
                self._remember(node, env[node])
            else:
                raise NotImplementedError(
                    f"[capture] the graph calls the method {node.target}, expected aten ops only"
                )
        return []

    def _engine(
        self, node: fx.Node, block: _C.Block, env: dict[fx.Node, Any], module: fx.GraphModule
    ) -> Any:
        called = attribute(module, str(node.target))
        if not isinstance(called, TorchTensorRTModule):
            raise NotImplementedError(
                f"[capture] the graph calls the module {node.target}, expected aten ops only; "
                "trace it with torch_tensorrt.dynamo.trace or torch_tensorrt.fx.trace(aten=True)"
            )
        inputs = [self._lookup(value, env) for value in node.args]
        results = self.program.engine(block, inputs, called.engine, place_of(node))
        return results[0] if len(results) == 1 else results

    def _call(
        self, node: fx.Node, block: _C.Block, env: dict[fx.Node, Any], module: fx.GraphModule
    ) -> Any:
        target: Any = node.target
        if target is operator.getitem:
            return self._lookup(node.args[0], env)[self._lookup(node.args[1], env)]
        args = fx.map_arg(node.args, lambda n: env[n])
        kwargs = fx.map_arg(node.kwargs, lambda n: env[n])
        if isinstance(target, torch._ops.HigherOrderOperator):
            return self._higher_order(node, target.name(), args, block)
        if isinstance(target, torch._ops.OpOverload):
            return self._operator(node, target, args, kwargs, block)
        return self._arithmetic(node, target, args, block)

    def _operator(
        self,
        node: fx.Node,
        target: torch._ops.OpOverload,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        block: _C.Block,
    ) -> Any:
        if target in _CHECKS or (target is _aten._assert_scalar.default and not _unbacked(node)):
            return None
        place = place_of(node)
        if target is _execute:
            inputs, engine = args
            return self.program.engine(block, list(inputs), engine, place)
        if target in _READING:
            name, overload = _READS[_kind_of_number(node.meta["val"])]
            return self.program.op(block, name, overload, args, {}, place)[0]
        if target in _SIZES:
            name, overload = _SIZES[target]
        else:
            target = _with_numbers(_RESPELLED.get(target, target), args, kwargs)
            name, overload = target._schema.name, target._schema.overload_name
        results = self.program.op(block, name, overload, tuple(args), dict(kwargs), place)
        if len(results) != 1:
            return results
        value = node.meta.get("val")
        if results[0].type.startswith("List[") and isinstance(value, list | tuple):
            return self.program.unpack(block, results[0], len(value))
        return results[0]

    def _arithmetic(
        self, node: fx.Node, target: Any, args: tuple[Any, ...], block: _C.Block
    ) -> Any:
        if not any(isinstance(arg, _C.Var) for arg in pytree.tree_leaves(args)):
            return target(*args)
        if target is torch.sym_sum:
            return reduce(
                lambda total, n: self._arithmetic(node, operator.add, (total, n), block), *args
            )
        place = place_of(node)
        if target in _FIXED:
            name, overload = _FIXED[target]
            return self.program.op(block, name, overload, args, {}, place)[0]
        if target in _ARITHMETIC:
            name = _ARITHMETIC[target]
            kinds = [_number_kind(arg) for arg in args]
            overload = kinds[0] if len(set(kinds)) == 1 else "_".join(kinds)
            if _C.has_operator(name, overload):
                return self.program.op(block, name, overload, args, {}, place)[0]
        raise NotImplementedError(
            f"[capture] {where(node)}: no operator for {getattr(target, '__name__', target)} of "
            f"{', '.join(_number_kind(arg) for arg in args)}"
        )

    def _higher_order(
        self, node: fx.Node, name: str, args: tuple[Any, ...], block: _C.Block
    ) -> Any:
        if name in _INLINED:
            body = next(arg for arg in args if isinstance(arg, fx.GraphModule))
            return self._inlined(body, args[list(args).index(body) + 1 :], block)
        if name == "invoke_subgraph":
            body, _, *operands = args
            return self._inlined(body, operands, block)
        if name == "flex_attention":
            return self._inlined(*flex_attention.as_ops(node, args), block)
        if name == "scan":
            body, carried, rows, captured = args
            return self._steps(node, body, list(carried), rows, captured, block)
        if name == "map_impl":
            body, rows, captured = args
            return self._steps(node, body, [], rows, captured, block)
        if name not in ("cond", "while_loop"):
            raise NotImplementedError(
                f"[capture] {where(node)}: the higher-order operator {name} cannot be compiled; "
                "cut the model there, or use torch.cond or while_loop"
            )
        kinds = [_kind(value) for value in node.meta["val"]]
        if name == "while_loop":
            return self._loop(node, args, kinds, block)
        condition, then_module, else_module, operands = args
        condition = self._truth(condition, block, place_of(node))
        branch = self.program.branch(block, condition, kinds, place_of(node))
        for inner, body in zip(branch.blocks, (then_module, else_module), strict=True):
            inner.outputs = self._inlined(body, operands, inner)
        return branch.outputs

    def _loop(
        self, node: fx.Node, args: tuple[Any, ...], kinds: list[str], block: _C.Block
    ) -> list[Any]:
        condition, body, carried, captured = args
        place = place_of(node)

        def goes_on(values: Iterable[Any], block: _C.Block) -> Any:
            (value,) = self._inlined(condition, (*values, *captured), block)
            return self._truth(value, block, place)

        loop = self.program.loop(block, goes_on(carried, block), list(carried), kinds, place)
        (inner,) = loop.blocks
        values = self._inlined(body, (*inner.inputs[1:], *captured), inner)
        inner.outputs = [goes_on(values, inner), *values]
        return loop.outputs

    def _steps(
        self,
        node: fx.Node,
        body: fx.GraphModule,
        carried: list[Any],
        rows: Iterable[Any],
        captured: Iterable[Any],
        block: _C.Block,
    ) -> list[Any]:
        """A scan or map, one step after the other."""
        count = node.args[-2][0].meta["val"].shape[0]  # type: ignore[index, union-attr]
        if not isinstance(count, int) or count > _STEPS or count * len(body.graph.nodes) > _NODES:
            raise NotImplementedError(
                f"[capture] {where(node)}: got {count} steps of {len(body.graph.nodes)} nodes, "
                f"expected a fixed number, at most {_STEPS} steps and {_NODES} nodes in all: they "
                "are compiled one by one; use while_loop"
            )
        place = place_of(node)
        results = []
        for step in range(count):
            now = [
                self.program.op(block, "aten::select", "int", (row, 0, step), {}, place)[0]
                for row in rows
            ]
            values = self._inlined(body, (*carried, *now, *captured), block)
            carried = values[: len(carried)]
            results.append(values[len(carried) :])
        stacked = [
            self.program.op(block, "aten::stack", "", (list(column), 0), {}, place)[0]
            for column in zip(*results, strict=True)
        ]
        return [*carried, *stacked]

    def _truth(self, condition: Any, block: _C.Block, place: Any) -> Any:
        if not isinstance(condition, _C.Var) or not condition.is_tensor:
            return condition
        return self.program.op(block, "aten::Bool", "Tensor", (condition,), {}, place)[0]

    def _inlined(self, body: fx.GraphModule, operands: Iterable[Any], block: _C.Block) -> list[Any]:
        env = dict(zip(body.graph.find_nodes(op="placeholder"), operands, strict=True))
        for node, operand in env.items():
            if isinstance(operand, _C.Var):
                self.metas.setdefault(operand.id, node.meta.get("val"))
        return self._nodes(body, block, env)

    def _lookup(self, value: Any, env: dict[fx.Node, Any]) -> Any:
        return env[value] if isinstance(value, fx.Node) else value

    def _remember(self, node: fx.Node, result: Any) -> None:
        value = node.meta.get("val")
        if isinstance(result, _C.Var):
            self.metas[result.id] = value
        elif isinstance(result, list) and isinstance(value, list | tuple):
            for var, element in zip(result, value, strict=False):
                if isinstance(var, _C.Var):
                    self.metas[var.id] = element


def attribute(module: torch.nn.Module, path: str) -> Any:
    """What a get_attr node with that target reads."""
    value: Any = module
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _written_attributes(graph: fx.Graph) -> list[str]:
    """Attributes whose tensor some op writes, in the order of the writes."""
    written: dict[str, None] = {}

    def add(node: fx.Node) -> None:
        if node.op == "get_attr":
            written[str(node.target)] = None

    for node in graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue
        for index, argument in enumerate(node.target._schema.arguments):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            value = node.args[index] if index < len(node.args) else node.kwargs.get(argument.name)
            fx.map_arg(value, add)
    return list(written)


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "Tensor"
    return _kind_of_number(value).__name__


def _kind_of_number(value: Any) -> type[Number]:
    if isinstance(value, torch.SymBool | bool):
        return bool
    return float if isinstance(value, torch.SymFloat | float) else int


def _number_kind(value: Any) -> str:
    return str(value.type) if isinstance(value, _C.Var) else type(value).__name__


def _unbacked(node: fx.Node) -> bool:
    """Does the node check a number that was read from a tensor?"""
    value = node.args[0].meta.get("val") if isinstance(node.args[0], fx.Node) else None
    if not isinstance(value, torch.SymBool | torch.SymInt | torch.SymFloat):
        return False
    environment = value.node.shape_env
    return any(environment.is_unbacked_symint(s) for s in value.node.expr.free_symbols)


def _is_number(value: Any) -> bool:
    if isinstance(value, _C.Var):
        return value.type in ("int", "float", "bool", "number", "Scalar")
    return isinstance(value, bool | int | float)


def _with_numbers(
    target: torch._ops.OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> torch._ops.OpOverload:
    """The overload that takes a Scalar where FX puts a number into a Tensor's place."""
    given = dict(zip((a.name for a in target._schema.arguments), args, strict=False)) | kwargs
    numbers = frozenset(
        a.name
        for a in target._schema.arguments
        if str(a.type) == "Tensor" and _is_number(given.get(a.name))
    )
    return _scalar_overload(target, numbers) if numbers else target


@cache
def _scalar_overload(
    target: torch._ops.OpOverload, numbers: frozenset[str]
) -> torch._ops.OpOverload:
    wanted = [
        (a.name, "number" if a.name in numbers else str(a.type)) for a in target._schema.arguments
    ]
    packet = target.overloadpacket
    for name in packet.overloads():
        candidate = getattr(packet, name)
        if [(a.name, str(a.type)) for a in candidate._schema.arguments] == wanted:
            return candidate
    return target
