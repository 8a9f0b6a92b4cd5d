"""Which aten ops are taken apart before compiling: those that no converter takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch._ops import OpOverload

from torch_tensorrt import _C

_aten = torch.ops.aten
# Composites that may return their input, or views of it, without saying so in their schema.
_MAY_ALIAS = {
    _aten.atleast_1d,
    _aten.atleast_2d,
    _aten.atleast_3d,
    _aten.broadcast_tensors,
    _aten.meshgrid,
    _aten.type_as,
}
# By users, over PyTorch's own.
_registered: dict[OpOverload, Callable[..., Any]] = {}


def register_torch_trt_decomposition(
    aten_op: OpOverload, registry: Any = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function that computes `aten_op` from other ops; it is used in each compilation.

    Args:
        aten_op: the overload, such as torch.ops.aten.addmm.default.
        registry: not needed.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.dynamo.lowering import register_torch_trt_decomposition
    >>> @register_torch_trt_decomposition(torch.ops.aten.hypot.default)
    ... def hypot(x, y):
    ...     return torch.sqrt(x * x + y * y)
    """
    del registry

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        _registered[aten_op] = function
        return function

    return decorate


def decompositions(writes: bool = True) -> dict[OpOverload, Callable[..., Any]]:
    """PyTorch's decompositions of the ops that have no converter, and the registered ones.

    Args:
        writes: the program may write in place. PyTorch takes what a composite op gives for new
            memory where it stays whole, so those that may return their input are taken apart too.
    """
    converted = set(_C.user_converter_names())
    whole = {op: f for op, f in _default_table().items() if _name(op) not in converted}
    return {**(_aliasing() if writes else {}), **whole, **_registered}


@lru_cache(maxsize=1)
def _all() -> dict[OpOverload, Callable[..., Any]]:
    table = torch.export.default_decompositions()
    table.materialize() if hasattr(table, "materialize") else None
    return dict(table.items())


@lru_cache(maxsize=1)
def _default_table() -> dict[OpOverload, Callable[..., Any]]:
    converted = set(_C.op_names())
    return {op: function for op, function in _all().items() if _name(op) not in converted}


@lru_cache(maxsize=1)
def _aliasing() -> dict[OpOverload, Callable[..., Any]]:
    return {op: function for op, function in _all().items() if op.overloadpacket in _MAY_ALIAS}


def _name(op: OpOverload) -> str:
    schema = op._schema
    return f"{schema.name}.{schema.overload_name}" if schema.overload_name else schema.name


@contextlib.contextmanager
def kept_whole() -> Iterator[None]:
    """While tracing, some composite ops give shapes without being taken apart.

    PyTorch runs a recurrence step by step, which fixes the length of the sequence, and has no
    shapes for what fake quantization consists of.
    """
    from torch._decomp import decomposition_table

    composite = torch._C.DispatchKey.CompositeImplicitAutograd
    kernels = {op: dict(op.py_kernels) for op in _SHAPES}
    before: Any = {op: decomposition_table[op] for op in _SHAPES if op in decomposition_table}
    try:
        for op, shapes in _SHAPES.items():
            op.py_kernels[composite] = shapes
            if op in before:
                decomposition_table[op] = shapes
            op._dispatch_cache.clear()
        yield
    finally:
        decomposition_table.update(before)
        for op in _SHAPES:
            op.py_kernels.clear()
            op.py_kernels.update(kernels[op])
            op._dispatch_cache.clear()


def _recurrent(
    x: Any, hx: Any, params: Any, has_biases: Any, num_layers: Any, dropout: Any, train: Any,
    bidirectional: bool, batch_first: Any,
) -> tuple[Any, ...]:  # fmt: skip
    states = hx if isinstance(hx, list | tuple) else [hx]
    width = states[0].shape[-1] * (2 if bidirectional else 1)
    return x.new_empty((*x.shape[:-1], width)), *(state.new_empty(state.shape) for state in states)


def _fake_quantized(x: Any, *steps: Any) -> Any:
    return torch.empty_like(x)


_SHAPES: dict[OpOverload, Callable[..., Any]] = {
    _aten.lstm.input: _recurrent,
    _aten.gru.input: _recurrent,
    _aten.rnn_tanh.input: _recurrent,
    _aten.rnn_relu.input: _recurrent,
    _aten.fake_quantize_per_tensor_affine.default: _fake_quantized,
    _aten.fake_quantize_per_tensor_affine.tensor_qparams: _fake_quantized,
    _aten.fake_quantize_per_channel_affine.default: _fake_quantized,
}
