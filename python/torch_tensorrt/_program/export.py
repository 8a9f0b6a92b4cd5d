"""A compiled graph module as a torch.export.ExportedProgram: by rewriting its graph, not by tracing
it again, so that sizes which depend on data stay what they are.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export import graph_signature as signatures
from torch.utils import _pytree as pytree

from torch_tensorrt._program.decode import attribute
from torch_tensorrt._program.shapes import number_of, ranges_of
from torch_tensorrt.runtime._module import TorchTensorRTModule

Kind = signatures.InputKind
_copy = torch.ops.aten.copy_.default
_execute = torch.ops.tensorrt.execute_engine.default
_execute_container = torch.ops.tensorrt.execute_engine_container.default


def to_exported_program(module: fx.GraphModule) -> ExportedProgram:
    """The module as torch.export would give it; `.module()` of the result is called as `module` is.

    Raises:
        ValueError: the graph has no fake values (it was pickled, or traced without them).
    """
    return _Exporter(module).run()


class _Exporter:
    def __init__(self, module: fx.GraphModule) -> None:
        self.module = module
        self.root = torch.nn.Module()
        self.graph = fx.Graph()
        self.env: dict[fx.Node, Any] = {}
        self.inputs: list[signatures.InputSpec] = []
        self.state: dict[str, torch.Tensor] = {}
        self.constants: dict[str, Any] = {}
        self.buffers: set[str] = set()
        self.lifted: dict[str, fx.Node] = {}

    def run(self) -> ExportedProgram:
        source = self.module.graph
        if any("val" not in n.meta for n in source.find_nodes(op="placeholder")):
            raise ValueError(
                "the graph has no fake values any more, expected a module as "
                "torch_tensorrt.compile gave it; save it before it is pickled"
            )
        for node in source.find_nodes(op="get_attr"):
            value = attribute(self.module, str(node.target))
            if isinstance(value, fx.GraphModule):
                for name, tensor in _held(str(node.target), value).items():
                    self._lift(name, tensor)
            else:
                self._lift(str(node.target), value)
        for node in source.find_nodes(op="call_module"):
            self._lift(str(node.target), attribute(self.module, str(node.target)).engine)
        self._sort_lifted()
        for node in source.find_nodes(op="placeholder"):
            self._user_input(node)
        written = self._nodes(source)
        (output,) = source.find_nodes(op="output")
        outputs = list(self._outputs(output, written))
        self.graph.output(tuple(node for node, _ in outputs))
        return self._program([spec for _, spec in outputs])

    def _lift(self, path: str, value: Any) -> None:
        if path in self.lifted:
            return
        name = "lifted_" + path.replace(".", "_")
        node = self.graph.placeholder(name)
        self.lifted[path] = node
        if isinstance(value, torch.Tensor):
            kind = Kind.PARAMETER if isinstance(value, torch.nn.Parameter) else Kind.BUFFER
            self.state[path] = value
            node.meta["val"] = _fake_mode(self.module).from_tensor(value, static_shapes=True)
            argument: Any = signatures.TensorArgument(node.name)
        else:
            kind = Kind.CUSTOM_OBJ
            self.constants[path] = value
            argument = signatures.CustomObjArgument(node.name, value._type().qualified_name())
            node.meta["val"] = argument
        self.inputs.append(
            signatures.InputSpec(kind, argument, path, persistent=kind is Kind.BUFFER or None)
        )

    def _sort_lifted(self) -> None:
        """Parameters, buffers, objects: the order that torch.export asks for."""
        order = [Kind.PARAMETER, Kind.BUFFER, Kind.CUSTOM_OBJ]
        self.inputs.sort(key=lambda spec: order.index(spec.kind))
        nodes = [self.lifted[str(spec.target)] for spec in self.inputs]
        for before, node in itertools.pairwise(nodes):
            before.append(node)

    def _user_input(self, node: fx.Node) -> None:
        copied = self.graph.placeholder(str(node.target))
        copied.meta = dict(node.meta)
        self.env[node] = copied
        self.inputs.append(
            signatures.InputSpec(Kind.USER_INPUT, _argument(copied, node.meta["val"]), None)
        )

    def _nodes(self, source: fx.Graph) -> dict[fx.Node, fx.Node]:
        """Copies all nodes; gives the new value of each state or input that is written."""
        written: dict[fx.Node, fx.Node] = {}
        for node in source.nodes:
            if node.op == "get_attr" and str(node.target) in self.lifted:
                self.env[node] = self.lifted[str(node.target)]
            elif node.op == "call_module":
                engine = self.lifted[str(node.target)]
                self.env[node] = _engine_call(self.graph, _execute, node, self.env, engine)
            elif node.op == "call_function" and node.target is _copy:
                target, value = (self.env[argument] for argument in node.args[:2])
                written[target] = value
                self.env[node] = value
            elif node.op == "call_function":
                self._call(_Copy(self.module, self.graph, self.root, self.env, self.lifted), node)
        return written

    def _call(self, copy: _Copy, node: fx.Node) -> None:
        if isinstance(node.target, torch._ops.HigherOrderOperator):
            copied = self._control_flow(copy, node)
        else:
            copied = copy.graph.node_copy(node, copy.env.__getitem__)
        if "val" not in copied.meta:
            copied.meta["val"] = self._value(copied)
        copy.env[node] = copied

    def _control_flow(self, copy: _Copy, node: fx.Node) -> fx.Node:
        """A cond or while_loop whose bodies get what they hold as further operands."""
        bodies = {
            argument: attribute(copy.source, str(argument.target))
            for argument in node.args
            if isinstance(argument, fx.Node) and argument.op == "get_attr"
        }
        held = {
            name: copy.held[name]
            for argument, body in bodies.items()
            for name in _held(copy.prefix + str(argument.target), body)
        }
        for argument, body in bodies.items():
            path = str(argument.target)
            copy.root.add_module(path, self._inner(copy.prefix + path, body, held))
            copy.env[argument] = copy.graph.get_attr(path)
        args: Any = fx.map_arg(node.args, copy.env.__getitem__)
        target: Any = node.target
        call = copy.graph.call_function(target, (*args[:-1], (*args[-1], *held.values())))
        call.meta = dict(node.meta)
        return call

    def _inner(self, path: str, body: fx.GraphModule, lifted: dict[str, fx.Node]) -> fx.GraphModule:
        root, graph = torch.nn.Module(), fx.Graph()
        env: dict[fx.Node, Any] = {}
        held: dict[str, fx.Node] = {}
        for node in body.graph.find_nodes(op="placeholder"):
            env[node] = graph.node_copy(node)
        for name, outer in lifted.items():
            held[name] = graph.placeholder(name)
            held[name].meta = dict(outer.meta)
        copy = _Copy(body, graph, root, env, held, f"{path}_")
        for node in body.graph.nodes:
            name = _name(copy.prefix, node)
            if node.op == "get_attr" and name in held:
                env[node] = held[name]
            elif node.op == "call_module":
                env[node] = _engine_call(graph, _execute_container, node, env, held[name])
            elif node.op == "call_function":
                self._call(copy, node)
            elif node.op == "output":
                graph.node_copy(node, env.__getitem__)
        return fx.GraphModule(root, graph)

    def _value(self, node: fx.Node) -> Any:
        args, kwargs = fx.map_arg((node.args, node.kwargs), lambda n: n.meta["val"])
        with _fake_mode(self.module):
            return node.target(*args, **kwargs)  # type: ignore[operator]

    def _outputs(
        self, output: fx.Node, written: dict[fx.Node, fx.Node]
    ) -> Iterator[tuple[Any, signatures.OutputSpec]]:
        by_name = {spec.arg.name: spec for spec in self.inputs if hasattr(spec.arg, "name")}
        for target, value in written.items():
            spec = by_name[target.name]
            buffer = spec.kind is Kind.BUFFER
            kind = (
                signatures.OutputKind.BUFFER_MUTATION
                if buffer
                else signatures.OutputKind.USER_INPUT_MUTATION
            )
            name = spec.target if buffer else target.name
            yield value, signatures.OutputSpec(kind, signatures.TensorArgument(value.name), name)
        flat, _ = pytree.tree_flatten(output.args[0])
        for value in flat:
            node = self.env[value] if isinstance(value, fx.Node) else value
            fake = node.meta["val"] if isinstance(node, fx.Node) else node
            kind = signatures.OutputKind.USER_OUTPUT
            yield node, signatures.OutputSpec(kind, _argument(node, fake), None)

    def _program(self, outputs: list[signatures.OutputSpec]) -> ExportedProgram:
        in_spec, out_spec, names = _structure(self.module)
        self.graph.eliminate_dead_code()
        return ExportedProgram(
            root=self.root,
            graph=self.graph,
            graph_signature=signatures.ExportGraphSignature(self.inputs, outputs),
            state_dict=self.state,
            range_constraints=_constraints(self.module),
            module_call_graph=[
                torch.export.ModuleCallEntry(
                    "", torch.export.ModuleCallSignature([], [], in_spec, out_spec, names)
                )
            ],
            example_inputs=_example_inputs(self.module, in_spec),
            constants=self.constants,
        )


@dataclass
class _Copy:
    """A graph on its way: its attributes are in `root`, what was lifted out of it is in `held`."""

    source: fx.GraphModule
    graph: fx.Graph
    root: torch.nn.Module
    env: dict[fx.Node, Any]
    held: dict[str, fx.Node]
    prefix: str = ""


def _engine_call(
    graph: fx.Graph, target: Any, node: fx.Node, env: dict[fx.Node, Any], engine: Any
) -> fx.Node:
    inputs = [env[a] if isinstance(a, fx.Node) else a for a in node.args]
    call = graph.call_function(target, (inputs, engine))
    single = "val" in node.meta and isinstance(node.meta["val"], torch.Tensor)
    if not single:
        values: dict[Any, Any] = {user.args[1]: user.meta["val"] for user in node.users}
        count = max(values) + 1
        call.meta["val"] = [values.get(i, values[max(values)]) for i in range(count)]
        return call
    call.meta["val"] = [node.meta["val"]]
    first = graph.call_function(operator.getitem, (call, 0))
    first.meta["val"] = node.meta["val"]
    return first


def _name(prefix: str, node: fx.Node) -> str:
    return f"{prefix}{node.target}".replace(".", "_")


def _held(path: str, body: fx.GraphModule) -> dict[str, torch.Tensor]:
    """The tensors of a branch or a loop, and the containers of its engines, by name."""
    found: dict[str, torch.Tensor] = {}
    for node in body.graph.nodes:
        if node.op not in ("get_attr", "call_module"):
            continue
        value, name = attribute(body, str(node.target)), _name(f"{path}_", node)
        if isinstance(value, fx.GraphModule):
            found |= _held(name, value)
        elif isinstance(value, TorchTensorRTModule):
            found[name] = value.engine.serialized_engine_tensor()
        else:
            found[name] = value
    return found


def _structure(module: fx.GraphModule) -> tuple[Any, Any, list[str] | None]:
    info = getattr(module.graph._codegen, "pytree_info", None)
    if info is not None and info.in_spec is not None and info.out_spec is not None:
        return info.in_spec, info.out_spec, info.orig_args
    names = [str(node.target) for node in module.graph.find_nodes(op="placeholder")]
    _, in_spec = pytree.tree_flatten((tuple(names), {}))
    (output,) = module.graph.find_nodes(op="output")
    _, out_spec = pytree.tree_flatten(output.args[0])
    return in_spec, out_spec, names


def _constraints(module: fx.GraphModule) -> dict[Any, Any]:
    """The range of each symbolic size, as the fake inputs' environment knows it."""
    from torch.utils._sympy.value_ranges import ValueRanges

    values = [node.meta["val"] for node in module.graph.find_nodes(op="placeholder")]
    known = module.meta.get("torchtrt_ranges", {})
    return {
        symbol: ValueRanges(size.min, size.max) for symbol, size in ranges_of(values, known).items()
    }


def _example_inputs(module: fx.GraphModule, in_spec: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Zeros of the usual sizes: ahead-of-time compilers want examples."""
    values = [node.meta["val"] for node in module.graph.find_nodes(op="placeholder")]
    ranges = ranges_of(values, module.meta.get("torchtrt_ranges", {}))
    numbers = {symbol: size.opt for symbol, size in ranges.items()}
    examples = [
        torch.zeros(
            [number_of(s, numbers) for s in value.shape], dtype=value.dtype, device=value.device
        )
        if isinstance(value, torch.Tensor)
        else number_of(value, numbers)
        if isinstance(value, torch.SymInt)
        else value
        for value in values
    ]
    args, kwargs = pytree.tree_unflatten(examples, in_spec)
    return args, kwargs


def _argument(node: Any, value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return signatures.TensorArgument(node.name)
    if isinstance(value, torch.SymInt):
        return signatures.SymIntArgument(node.name)
    if isinstance(value, torch.SymFloat):
        return signatures.SymFloatArgument(node.name)
    if isinstance(value, torch.SymBool):
        return signatures.SymBoolArgument(node.name)
    name = node.name if isinstance(node, fx.Node) else ""
    return signatures.ConstantArgument(name, value)


def _fake_mode(module: fx.GraphModule) -> Any:
    from torch._guards import detect_fake_mode
    from torch._subclasses import FakeTensorMode

    values = [node.meta["val"] for node in module.graph.find_nodes(op="placeholder")]
    return detect_fake_mode(values) or FakeTensorMode(allow_non_fake_inputs=True)
