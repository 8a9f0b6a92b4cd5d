"""How engines run on a GPU: CUDA graphs, outputs made ahead, weights that stay on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from torch_tensorrt.runtime._module import TorchTensorRTModule


def engines_of(module: torch.nn.Module) -> list[Any]:
    """The engines in a compiled module, each once."""
    found: list[Any] = []
    for child in module.modules():
        if isinstance(child, TorchTensorRTModule):
            found.append(child.engine)
        elif isinstance(child, torch.jit.ScriptModule):
            found += [child._c.getattr(name) for name in _engine_attributes(child)]
    return [engine for i, engine in enumerate(found) if engine not in found[:i]]


def _engine_attributes(module: torch.jit.ScriptModule) -> list[str]:
    """A script module does not tell its attributes, but its methods read those that they use."""
    return [
        str(node.s("name"))
        for method in module._c._method_names()
        for node in module._c._get_method(method).graph.findAllNodes("prim::GetAttr")
        if str(node.output().type()).endswith("torch.classes.tensorrt.Engine")
    ]


class _Mode(AbstractContextManager[None]):
    """A mode that was set at once; as a context manager it is put back at the end."""

    def __init__(self, set_mode: Callable[[bool], None], old: bool, new: bool) -> None:
        self._set, self._old = set_mode, old
        set_mode(new)

    def __exit__(self, *error: object) -> None:
        self._set(self._old)


def get_cudagraphs_mode() -> bool:
    """Whether calls of engines are recorded as CUDA graphs; False at the start."""
    return bool(torch.ops.tensorrt.get_cudagraphs_mode())


def set_cudagraphs_mode(mode: bool) -> None:
    """Whether the process's engines record their calls as CUDA graphs, one for each set of shapes,
    and replay them. Of use where launching kernels takes longer than running them. An engine of
    which a result's size depends on data runs as ever, and says so once.

    >>> set_cudagraphs_mode(True)
    >>> get_cudagraphs_mode()
    True
    >>> set_cudagraphs_mode(False)
    """
    torch.ops.tensorrt.set_cudagraphs_mode(bool(mode))


@contextmanager
def enable_cudagraphs(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Calls of engines are recorded as CUDA graphs inside of the block.

    Args:
        module: a compiled module; the GPU's memory that its graphs take is given back at the end.
    """
    old = get_cudagraphs_mode()
    set_cudagraphs_mode(True)
    try:
        yield module
    finally:
        set_cudagraphs_mode(old)
        for engine in engines_of(module):
            engine.reset_captured_graph()


@contextmanager
def enable_pre_allocated_outputs(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The tensors of a call's results are made while the GPU works on the call before it, as long
    as their sizes stay the same, inside of the block.
    """
    engines = engines_of(module)
    old = [engine.use_pre_allocated_outputs for engine in engines]
    for engine in engines:
        engine.use_pre_allocated_outputs = True
    try:
        yield module
    finally:
        for engine, mode in zip(engines, old, strict=True):
            engine.use_pre_allocated_outputs = mode


def set_multi_device_safe_mode(mode: bool) -> _Mode:
    """Whether engines take inputs on other devices than their own, and copy them; else they are
    refused. At once, and as a context manager for a block.

    >>> with set_multi_device_safe_mode(True):
    ...     bool(torch.ops.tensorrt.get_multi_device_safe_mode())
    True
    >>> bool(torch.ops.tensorrt.get_multi_device_safe_mode())
    False
    """
    old = bool(torch.ops.tensorrt.get_multi_device_safe_mode())
    return _Mode(torch.ops.tensorrt.set_multi_device_safe_mode, old, bool(mode))


class weight_streaming:  # noqa: N801 (a name of the public API)
    """How many bytes of a module's weights are kept on the GPU; the others are copied there while
    an engine runs. For modules compiled by TensorRT with `enable_weight_streaming=True`. The old
    budgets are put back at the end of the block.

        with torch_tensorrt.runtime.weight_streaming(module) as weights:
            weights.device_budget = weights.total_device_budget // 2
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._engines = [
            engine for engine in engines_of(module) if engine.streamable_device_memory_budget > 0
        ]
        self._old = [engine.device_memory_budget for engine in self._engines]

    def __enter__(self) -> weight_streaming:
        return self

    def __exit__(self, *_error: object) -> None:
        for engine, budget in zip(self._engines, self._old, strict=True):
            engine.device_memory_budget = budget

    @property
    def total_device_budget(self) -> int:
        """Bytes of all weights that can be streamed; 0 where no engine was built for it."""
        return sum(engine.streamable_device_memory_budget for engine in self._engines)

    @property
    def device_budget(self) -> int:
        """Bytes of them on the GPU. What is set is split among the engines by their weights' sizes.

        Raises:
            ValueError: the budget is not within 0 and `total_device_budget`.
        """
        return sum(engine.device_memory_budget for engine in self._engines)

    @device_budget.setter
    def device_budget(self, size: int) -> None:
        total = self.total_device_budget
        if not 0 <= size <= total:
            raise ValueError(f"device_budget is {size}, expected 0..{total} bytes")
        for engine in self._engines:
            streamable = engine.streamable_device_memory_budget
            engine.device_memory_budget = size * streamable // total

    def get_automatic_weight_streaming_budget(self) -> int:
        """What fits into the GPU's free memory, in bytes."""
        return sum(engine.automatic_device_memory_budget for engine in self._engines)
