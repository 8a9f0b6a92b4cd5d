"""trace: `torch_tensorrt.fx.trace` with the arguments of the accelerator tracer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from torch import fx, nn

from torch_tensorrt.fx._trace import trace as _trace


def trace(
    mod: nn.Module,
    sample_inputs: Sequence[Any],
    remove_assertions: bool = True,
    remove_exceptions: bool = True,
    use_acc_normalization: bool = True,
    ast_rewriter_allow_list: Collection[type[nn.Module]] | None = None,
    leaf_module_list: Collection[type[nn.Module]] | None = None,
) -> fx.GraphModule:
    """A symbolic trace: `torch_tensorrt.fx.trace(mod, sample_inputs, leaf_modules=...)`.

    Args:
        mod: the module, in eval mode.
        sample_inputs: one element per argument.
        remove_assertions: no effect; an assert on data is an error that says where.
        remove_exceptions: no effect.
        use_acc_normalization: no effect; nodes stay torch modules and functions.
        ast_rewriter_allow_list: no effect; code is not rewritten.
        leaf_module_list: classes of modules that become one node.

    >>> import torch
    >>> from torch_tensorrt.fx.tracer.acc_tracer import acc_tracer
    >>> traced = acc_tracer.trace(torch.nn.ReLU(), [torch.ones(2)])
    >>> traced(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    del remove_assertions, remove_exceptions, use_acc_normalization, ast_rewriter_allow_list
    return _trace(mod, sample_inputs, leaf_modules=leaf_module_list or ())
