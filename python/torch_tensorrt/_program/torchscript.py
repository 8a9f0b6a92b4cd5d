"""A compiled graph module as TorchScript: from its graph, with no tracing and no example inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch.utils import _pytree as pytree

from torch_tensorrt import _C
from torch_tensorrt._program.decode import Decoder
from torch_tensorrt._program.shapes import is_input


def to_torchscript(module: fx.GraphModule) -> torch.jit.ScriptModule:
    """A ScriptModule that is called as `module` is.

    Arguments and results keep their nesting of tuples, lists and dicts with str keys; other
    containers become dicts where all they hold are tensors, else tuples. Arguments that were fixed
    while compiling (None, numbers, strings) are no arguments any more.

    Raises:
        NotImplementedError: an op has no TorchScript form; the message names it.
    """
    placeholders = module.graph.find_nodes(op="placeholder")
    # A graph module that was pickled has lost the fake values: its inputs are tensors.
    values = [node.meta.get("val", torch.empty(())) for node in placeholders]
    decoder = Decoder(module, values)
    program = decoder.run()
    inputs, names = _arguments(module, [is_input(value) for value in values])
    (output,) = module.graph.find_nodes(op="output")
    _, flat = pytree.tree_flatten(output.args[0])
    info = getattr(module.graph._codegen, "pytree_info", None)
    structure = flat if info is None or info.out_spec is None else info.out_spec
    script = program.to_torchscript(inputs, names, _signature(structure))
    wrapped: torch.jit.ScriptModule = torch.jit._recursive.wrap_cpp_module(script)
    return wrapped


def _leaf() -> _C.Signature:
    return _C.Signature.leaf([], [], [], None, False, "")


def _arguments(module: fx.GraphModule, given: list[bool]) -> tuple[_C.Signature, list[str]]:
    """The forward's arguments, and their names."""
    info = getattr(module.graph._codegen, "pytree_info", None)
    placeholders = module.graph.find_nodes(op="placeholder")
    if info is None or info.in_spec is None:
        kept = [
            str(node.target) for node, is_given in zip(placeholders, given, strict=True) if is_given
        ]
        return _C.Signature.tuple([_leaf() for _ in kept]), kept
    positional, named = info.in_spec.children()
    specs = [*positional.children(), *named.children()]
    names = [*info.orig_args[: positional.num_children], *(named.context or [])]
    if len(names) != len(specs):
        names = [f"arg{index}" for index in range(len(specs))]
    elements, kept = [], []
    start = 0
    for name, spec in zip(names, specs, strict=True):
        used = given[start : start + spec.num_leaves]
        start += spec.num_leaves
        if all(used):
            elements.append(_signature(spec))
            kept.append(name)
        elif any(used):
            raise NotImplementedError(
                f"argument {name} holds tensors and constants, which TorchScript cannot take "
                "apart; save it as output_format='exported_program'"
            )
    return _C.Signature.tuple(elements), kept


def _signature(spec: Any) -> _C.Signature:
    if spec.is_leaf():
        return _leaf()
    elements = [_signature(child) for child in spec.children()]
    keys = spec.context if isinstance(spec.context, list) else None
    tensors_only = all(child.is_leaf() for child in spec.children())
    if spec.type is list and tensors_only:
        return _C.Signature.list(elements)
    if keys is not None and tensors_only and all(isinstance(key, str) for key in keys):
        return _C.Signature.dict(keys, elements)
    return _C.Signature.tuple(elements)
