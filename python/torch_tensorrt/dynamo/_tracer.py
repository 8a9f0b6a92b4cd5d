"""torch.export with the shapes that torch_tensorrt.Input describes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.export import Dim, ExportedProgram
from torch.utils import _pytree as pytree

from torch_tensorrt._Input import Input, device_of, distinct, positional_inputs
from torch_tensorrt._program.decompositions import kept_whole
from torch_tensorrt._program.functional import is_higher_order
from torch_tensorrt._program.shapes import Ranges, SymbolRange, is_symbolic, ranges_of

_Value = bool | int | float | str | None


def trace(
    mod: torch.nn.Module | torch.fx.GraphModule,
    inputs: Sequence[Any] | None = None,
    *,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    dynamic_shapes: Any = None,
    strict: bool = False,
    **settings: Any,
) -> ExportedProgram:
    """The module as a torch.export.ExportedProgram, dynamic where `inputs` are.

    Args:
        mod: an nn.Module; it is exported as it stands, so call `eval()` first.
        inputs: one element per positional argument: an Input, an example tensor, a shape, or a
            value; tuples, lists and dicts of those where forward takes such.
        arg_inputs: another name of `inputs`.
        kwarg_inputs: further arguments by name.
        dynamic_shapes: torch.export's own description of dynamic dimensions, in the place of the
            one that follows from `inputs`.
        strict: trace with Dynamo's bytecode analysis.
        settings: ignored here, so that one set of keywords serves `trace` and `compile`.

    Raises:
        ValueError: the model fixes a dimension that `inputs` asks to be dynamic, or inputs are
            missing or too many; the message names it.

    >>> import torch, torch_tensorrt
    >>> batch = torch_tensorrt.Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(8, 4))
    >>> program = torch_tensorrt.dynamo.trace(torch.nn.Linear(4, 2).eval(), inputs=[batch])
    >>> type(program).__name__
    'ExportedProgram'
    """
    del settings
    args, kwargs = arguments(inputs, arg_inputs, kwarg_inputs)
    _check_fit(mod, args, kwargs)
    device = device_of(mod)
    examples = distinct(pytree.tree_map(lambda value: _example(value, device), (args, kwargs)))

    if dynamic_shapes is None:
        described = pytree.tree_map(_dynamic, (args, kwargs))
        dynamic_shapes = _by_name(mod, *described)

    def exported() -> ExportedProgram:
        with torch.no_grad(), kept_whole():
            return torch.export.export(
                mod, examples[0], examples[1], dynamic_shapes=dynamic_shapes, strict=strict
            )

    program = exported()
    try:
        symbol_ranges(program, args, kwargs)  # says where a dimension was fixed
    except ValueError:
        if not any(map(is_higher_order, program.graph.nodes)):
            raise
        # Dynamo traces the functions that operators of higher order call, and takes what it knows
        # of them from an earlier time, when the dimension was fixed.
        torch._dynamo.reset()
        program = exported()
        symbol_ranges(program, args, kwargs)
    return program


export = trace


def _check_fit(mod: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    signature = inspect.signature(mod.forward)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ValueError(f"[capture] inputs do not fit forward{signature}: {error}") from None


def arguments(
    inputs: Sequence[Any] | None,
    arg_inputs: Sequence[Any] | None,
    kwarg_inputs: Mapping[str, Any] | None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments, shapes and tensors as Inputs; the rest as given."""
    positional = positional_inputs(inputs, arg_inputs, kwarg_inputs)
    args = tuple(_as_input(value) for value in positional)
    return args, {name: _as_input(value) for name, value in (kwarg_inputs or {}).items()}


def _as_input(value: Any) -> Any:
    if isinstance(value, torch.Size) or (
        isinstance(value, tuple | list) and value and all(type(v) is int for v in value)
    ):
        return Input(value)
    for leaf in pytree.tree_leaves(value):
        if not isinstance(leaf, torch.Tensor | Input | _Value):
            raise ValueError(
                f"an input is {leaf!r}, expected a torch_tensorrt.Input, a tensor, a shape, a "
                "number, a str, None, or a tuple, list or dict of those"
            )
    return value


def _example(value: Any, device: torch.device) -> Any:
    return value._to_trace_with().to(device) if isinstance(value, Input) else value


def _dynamic(value: Any) -> dict[int, Any] | None:
    if isinstance(value, Input):
        axes = [axis for axis in range(len(value.min_shape)) if value._is_dynamic(axis)]
        return dict.fromkeys(axes, Dim.AUTO)
    return {} if isinstance(value, torch.Tensor) else None


def _by_name(mod: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What torch.export wants: by parameter of forward, `*args` and `**kwargs` as one each."""
    by_name: dict[str, Any] = {}
    rest, others = list(args), dict(kwargs)
    for parameter in inspect.signature(mod.forward).parameters.values():
        name = parameter.name
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            if rest:
                by_name[name] = tuple(rest)
            rest = []
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            if others:
                by_name[name] = others
        elif rest and parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            by_name[name] = rest.pop(0)
        elif name in others:
            by_name[name] = others.pop(name)
    return by_name


def placeholder_values(program: ExportedProgram) -> list[Any]:
    """The fake value, or the constant, of each of the user's inputs, in order."""
    by_name = {node.name: node for node in program.graph.find_nodes(op="placeholder")}
    values = []
    for spec in program.graph_signature.input_specs:
        if spec.kind is not torch.export.graph_signature.InputKind.USER_INPUT:
            continue
        constant = isinstance(spec.arg, torch.export.graph_signature.ConstantArgument)
        values.append(spec.arg.value if constant else by_name[spec.arg.name].meta.get("val"))
    return values


def symbol_ranges(
    program: ExportedProgram, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Ranges:
    """What `inputs` say of the program's symbolic sizes."""
    values = placeholder_values(program)
    keys = program.call_spec.in_spec.children()[1].context if kwargs else []
    leaves = pytree.tree_leaves((args, {name: kwargs[name] for name in keys}))
    if not args and not kwargs:
        leaves = [None] * len(values)
    if len(leaves) != len(values):
        raise ValueError(
            f"inputs has {len(leaves)} leaves, but the exported program takes {len(values)}"
        )
    ranges: Ranges = {}
    for index, (leaf, value) in enumerate(zip(leaves, values, strict=True)):
        if not isinstance(value, torch.Tensor) or not isinstance(leaf, torch.Tensor | Input):
            continue
        sizes: list[Any] = list(value.shape)
        for axis, size in enumerate(sizes):
            if is_symbolic(size):
                if isinstance(leaf, Input):
                    wanted = (leaf.min_shape[axis], leaf.opt_shape[axis], leaf.max_shape[axis])
                    _add_range(ranges, size, SymbolRange(*wanted))
                else:
                    _add_opt(ranges, size, leaf.shape[axis], value)
            elif isinstance(leaf, Input) and leaf._is_dynamic(axis):
                raise ValueError(
                    f"[capture] input {leaf.name or index}: dimension {axis} is asked to be "
                    f"{leaf.min_shape[axis]}..{leaf.max_shape[axis]}, but the model fixes it to "
                    f"{int(size)} (a size in its code is a constant, or it branches on the size); "
                    "give a fixed shape, or change the model"
                )
    return ranges


def _add_range(ranges: Ranges, size: torch.SymInt, wanted: SymbolRange) -> None:
    """Only a size that is a symbol itself: one like 2*s0 follows from the symbol's."""
    symbol = size.node.expr
    if not symbol.is_Symbol:
        return
    known = ranges.get(symbol, wanted)
    low, high = max(known.min, wanted.min), min(known.max, wanted.max)
    ranges[symbol] = SymbolRange(low, min(max(known.opt, low), high), high)


def _add_opt(ranges: Ranges, size: torch.SymInt, opt: int, value: torch.Tensor) -> None:
    symbol = size.node.expr
    if symbol.is_Symbol and symbol not in ranges:
        known = ranges_of([value], {})[symbol]
        ranges[symbol] = SymbolRange(min(known.min, opt), opt, max(known.max, opt))
