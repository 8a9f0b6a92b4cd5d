"""trace: from a module to a graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import fx, nn

from torch_tensorrt.fx._inputs import to_inputs
from torch_tensorrt.fx._lowering import lower
from torch_tensorrt.fx._symbolic import symbolic_trace


def trace(
    module: nn.Module,
    inputs: Sequence[Any],
    aten: bool = False,
    *,
    leaf_modules: Collection[type[nn.Module]] = (),
    concrete_args: Mapping[str, Any] | None = None,
) -> fx.GraphModule:
    """The module as a graph: of torch.nn modules and torch functions, or of aten operators.

    A symbolic trace (`aten=False`) runs the forward once with stand-ins in the place of tensors. It
    keeps modules and functions as the user wrote them, so passes can find `nn.Conv2d` followed by
    `nn.BatchNorm2d`; sizes stay what the code computes. With `aten=True` torch.export captures
    functional aten operators, sizes that `inputs` let vary become symbols.

    Args:
        module: it is traced in the mode it is in, so call `eval()` first. Parameters are shared.
        inputs: one element per argument: a tensor, an `InputTensorSpec`, a torch_tensorrt.Input or
            a shape; tuples, lists and dicts of those. Arguments left out keep their defaults.
        aten: whether aten operators are wanted.
        leaf_modules: classes of modules that become one node of a symbolic trace, beside those of
            torch.nn.
        concrete_args: values of arguments that are constants of a symbolic trace.

    Raises:
        NotImplementedError: the module cannot be traced so; the message has file and line.
        ValueError: the model fixes a dimension that `inputs` let vary.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval()
    >>> traced = torch_tensorrt.fx.trace(model, [torch.ones(3, 4)])
    >>> [node.op for node in traced.graph.nodes]
    ['placeholder', 'call_module', 'call_module', 'output']
    >>> traced = torch_tensorrt.fx.trace(model, [torch.ones(3, 4)], aten=True)
    >>> [str(node.target) for node in traced.graph.nodes if node.op == "call_function"]
    ['aten.linear.default', 'aten.relu.default']
    """
    trees = to_inputs(inputs)
    if not aten:
        return symbolic_trace(module, len(trees), leaf_modules, concrete_args)
    if leaf_modules or concrete_args:
        raise ValueError(
            "leaf_modules and concrete_args are given, but only a symbolic trace has them"
        )
    return lower(module, trees).module
