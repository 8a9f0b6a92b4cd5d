"""New weights for a compiled module."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram

from torch_tensorrt import _C
from torch_tensorrt._Input import kind_of
from torch_tensorrt._program.functional import functional
from torch_tensorrt.dynamo._compiler import compile_functional
from torch_tensorrt.runtime._module import TorchTensorRTModule


def refit_module_weights(
    compiled_module: fx.GraphModule,
    new_weight_module: ExportedProgram,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    verify_output: bool = False,
    use_weight_map_cache: bool = True,
    in_place: bool = False,
) -> fx.GraphModule:
    """The compiled module with the weights of another export of the same model.

    Weights that are constants of the engines as they stand are exchanged there, with no lowering
    and no partitioning. Where one was computed with while compiling (folded, or merged with
    others), the program is compiled again, with a line in the log.

    Args:
        compiled_module: what `compile` gave.
        new_weight_module: the same model exported with the new weights.
        arg_inputs: example arguments, for `verify_output`.
        kwarg_inputs: further ones by name.
        verify_output: compare the result with `new_weight_module` on the example arguments.
        use_weight_map_cache: not needed: which constant is which weight is always known.
        in_place: change `compiled_module` itself and return it.

    Raises:
        ValueError: a weight is missing or has another shape, or `verify_output` found a difference.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.dynamo import refit_module_weights, trace
    >>> old, new = torch.nn.Linear(4, 2).eval(), torch.nn.Linear(4, 2).eval()
    >>> fast = torch_tensorrt.compile(old, inputs=[torch.ones(1, 4)], min_block_size=1)
    >>> fast = refit_module_weights(fast, trace(new, inputs=[torch.ones(1, 4)]))
    >>> torch.allclose(fast(torch.ones(1, 4)), new(torch.ones(1, 4)), rtol=1e-4)
    True
    """
    del use_weight_map_cache
    if not isinstance(new_weight_module, ExportedProgram):
        raise TypeError(
            f"new_weight_module is {kind_of(new_weight_module)}, expected a "
            "torch.export.ExportedProgram; torch_tensorrt.dynamo.trace makes one"
        )
    result = compiled_module if in_place else copy.deepcopy(compiled_module)
    derived = compiled_module.meta.get("torchtrt_derived", [])
    if derived:
        _C.log(
            _C.LogLevel.Info,
            f"weights that were computed with while compiling ({', '.join(derived[:3])}"
            f"{', ...' if len(derived) > 3 else ''}): the program is compiled again",
        )
        _take_over(result, _compiled_again(compiled_module, new_weight_module))
    else:
        constants = new_weight_module.constants.items()
        tensors = {name: value for name, value in constants if isinstance(value, torch.Tensor)}
        refit_from(result, {**new_weight_module.state_dict, **tensors})
    if verify_output:
        _verify(result, new_weight_module, tuple(arg_inputs or ()), dict(kwarg_inputs or {}))
    return result


def refit_from(module: fx.GraphModule, tensors: Mapping[str, torch.Tensor]) -> None:
    """Exchanges the weights of engines and of what stays in PyTorch, by name."""
    for part in module.modules():
        if isinstance(part, TorchTensorRTModule):
            missing = [name for name in part.weights if name not in tensors]
            if missing:
                raise ValueError(
                    f"the new weights have no {', '.join(missing[:5])}, expected those of the same "
                    "model"
                )
            part.refit(tensors)
    own = dict(module.named_parameters()) | dict(module.named_buffers())
    with torch.no_grad():
        for name, tensor in own.items():
            if name in tensors:
                tensor.copy_(tensors[name])


def _compiled_again(module: fx.GraphModule, program: ExportedProgram) -> fx.GraphModule:
    engines = [m for m in module.modules() if isinstance(m, TorchTensorRTModule)]
    settings = engines[0].settings if engines else {}
    ranges = module.meta.get("torchtrt_ranges", {})
    return compile_functional(*functional(program), settings, ranges).module()


def _take_over(module: fx.GraphModule, other: fx.GraphModule) -> None:
    """`module` becomes `other`."""
    module.__dict__.update(
        {name: value for name, value in other.__dict__.items() if name not in ("_graph", "_code")}
    )
    module.graph = other.graph


def _verify(
    module: fx.GraphModule, program: ExportedProgram, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    if not args and not kwargs:
        raise ValueError("verify_output is set, expected arg_inputs or kwarg_inputs to run with")
    got = torch.utils._pytree.tree_leaves(module(*args, **kwargs))
    expected = torch.utils._pytree.tree_leaves(program.module()(*args, **kwargs))
    if len(got) != len(expected):
        raise ValueError(
            f"after refit there are {len(got)} outputs, expected the {len(expected)} of the "
            "exported program"
        )
    for index, (a, b) in enumerate(zip(got, expected, strict=True)):
        try:
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3, equal_nan=True)
        except AssertionError as error:
            raise ValueError(
                f"after refit output {index} differs from the exported program: {error}"
            ) from None
