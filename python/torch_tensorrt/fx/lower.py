"""compile and Lowerer: all stages of the FX frontend in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.utils import _pytree as pytree

from torch_tensorrt import _C, logging
from torch_tensorrt._Input import Input
from torch_tensorrt._settings import to_compiler_settings
from torch_tensorrt.fx._build import build
from torch_tensorrt.fx._capture import Captured, capture
from torch_tensorrt.fx._groups import copy_graph
from torch_tensorrt.fx._inputs import examples, to_inputs
from torch_tensorrt.fx._lowering import lower
from torch_tensorrt.fx._symbolic import symbolic_trace
from torch_tensorrt.fx.input_tensor_spec import generate_input_specs
from torch_tensorrt.fx.lower_setting import LowerSetting, Pass
from torch_tensorrt.fx.passes.pass_manager import run_checked
from torch_tensorrt.fx.utils import LowerPrecision


def compile(
    module: nn.Module,
    input: Sequence[Any],
    min_acc_module_size: int = 10,
    max_batch_size: int = 2048,
    max_workspace_size: int = 1 << 25,
    explicit_batch_dimension: bool = False,
    lower_precision: LowerPrecision = LowerPrecision.FP16,
    verbose_log: bool = False,
    timing_cache_prefix: str = "",
    save_timing_cache: bool = False,
    cuda_graph_batch_size: int = -1,
    dynamic_batch: bool = True,
    is_aten: bool = False,
    use_experimental_fx_rt: bool = False,
    correctness_atol: float = 0.1,
    correctness_rtol: float = 0.1,
    **settings: Any,
) -> nn.Module:
    """Build engines for the parts of `module` that an engine supports; the rest stays in PyTorch.

    Args:
        module: an nn.Module in eval mode, or what `fx.trace` gave. It is not changed.
        input: one element per argument: an example tensor, an `InputTensorSpec` or a
            torch_tensorrt.Input; tuples, lists and dicts of those where forward takes such.
        min_acc_module_size: fewest ops that are worth an engine.
        max_batch_size: the largest batch, where the batch is dynamic.
        max_workspace_size: bytes that an engine may take for its work, where it asks.
        explicit_batch_dimension: no effect; the batch is always dimension 0.
        lower_precision: what engines may compute in beside the model's own types; FP16 and BF16
            cost accuracy, FP32 does not.
        verbose_log: print each step.
        timing_cache_prefix: no effect; compiled engines are cached on disk.
        save_timing_cache: no effect.
        cuda_graph_batch_size: no effect.
        dynamic_batch: compile for batches of 1..max_batch_size where all inputs are tensors and the
            model allows it; else for the batch of `input`, with a line in the log.
        is_aten: trace aten operators with torch.export, not modules and functions.
        use_experimental_fx_rt: no effect; there is one runtime.
        correctness_atol: how far a pass may change results.
        correctness_rtol: the same, relative.
        settings: further settings, see docs/settings.md.

    Returns:
        A torch.fx.GraphModule that is called as the module was. `torch_tensorrt.report` says what
        became of every op.

    Raises:
        TypeError: an unknown setting; the message has the nearest name.
        ValueError: inputs or settings do not fit; the message says what was expected.
        NotImplementedError: the module cannot be traced, or `require_full_compilation`, and an op
            cannot run in an engine.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx import LowerPrecision
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    >>> fast = torch_tensorrt.fx.compile(
    ...     model, [torch.ones(2, 4)], min_acc_module_size=1, lower_precision=LowerPrecision.FP32
    ... )
    >>> fast(torch.ones(5, 4)).shape
    torch.Size([5, 4])
    """
    setting = LowerSetting(
        max_batch_size=max_batch_size,
        lower_precision=lower_precision,
        min_acc_module_size=min_acc_module_size,
        is_aten=is_aten,
        explicit_batch_dimension=explicit_batch_dimension,
        max_workspace_size=max_workspace_size,
        verbose_log=verbose_log,
        timing_cache_prefix=timing_cache_prefix,
        save_timing_cache=save_timing_cache,
        cuda_graph_batch_size=cuda_graph_batch_size,
        dynamic_batch=dynamic_batch,
        correctness_atol=correctness_atol,
        correctness_rtol=correctness_rtol,
        use_experimental_rt=use_experimental_fx_rt,
        settings=settings,
    )
    return Lowerer.create(setting)(module, input)


class Lowerer:
    """Compiles modules with the same options.

    Args:
        lower_setting: the options.

    Raises:
        TypeError: an unknown setting; the message has the nearest name.

    >>> import torch
    >>> from torch_tensorrt.fx import Lowerer, LowerSetting
    >>> lowerer = Lowerer.create(LowerSetting(min_acc_module_size=1))
    >>> lowerer(torch.nn.Linear(4, 2).eval(), [torch.ones(3, 4)])(torch.ones(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(self, lower_setting: LowerSetting) -> None:
        self.lower_setting = lower_setting
        self._options = to_compiler_settings(
            {
                "min_block_size": lower_setting.min_acc_module_size,
                "enabled_precisions": {lower_setting.lower_precision.dtype},
                "workspace_size": lower_setting.max_workspace_size,
                **lower_setting.settings,
            }
        )

    @classmethod
    def create(cls, lower_setting: LowerSetting) -> Lowerer:
        """A lowerer with these options."""
        return cls(lower_setting)

    def __call__(
        self,
        module: nn.Module,
        inputs: Sequence[Any],
        additional_inputs: Sequence[torch.Tensor] | None = None,
    ) -> nn.Module:
        """The module with engines.

        Args:
            module: as for `compile`.
            inputs: as for `compile`.
            additional_inputs: the same inputs with another batch: the dimension that differs is the
                batch, where it is not dimension 0.
        """
        setting = self.lower_setting
        given = to_inputs(setting.input_specs or inputs)
        with logging.debug() if setting.verbose_log else contextlib.nullcontext():
            traced = None if setting.is_aten else self._traced(module, given)
            ranged = self._with_dynamic_batch(given, additional_inputs)
            if ranged is not None:
                try:
                    return self._compiled(traced, module, ranged, may_cut=False)
                except (NotImplementedError, ValueError) as error:
                    _C.log(_C.LogLevel.Info, f"the batch stays that of the inputs: {error}")
            return self._compiled(traced, module, given, may_cut=True)

    def _with_dynamic_batch(
        self, given: tuple[Any, ...], additional: Sequence[torch.Tensor] | None
    ) -> tuple[Any, ...] | None:
        """The inputs with the batch that the setting asks for; None where it asks for none."""
        leaves, structure = pytree.tree_flatten(given)
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        described = any(isinstance(leaf, Input) for leaf in leaves)
        if not self.lower_setting.dynamic_batch or described or not tensors:
            return None
        specs = iter(generate_input_specs(tensors, self.lower_setting, additional))
        ranged = [
            next(specs).to_input() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves
        ]
        result: tuple[Any, ...] = pytree.tree_unflatten(ranged, structure)
        return result

    def _traced(self, module: nn.Module, inputs: tuple[Any, ...]) -> fx.GraphModule:
        if isinstance(module, fx.GraphModule):
            traced = copy_graph(module)
        else:
            leaves = self.lower_setting.leaf_module_list or ()
            traced = symbolic_trace(module, len(inputs), leaves)
        return self._with_passes(traced, inputs)

    def _with_passes(self, traced: fx.GraphModule, inputs: tuple[Any, ...]) -> fx.GraphModule:
        setting = self.lower_setting
        traced = self._checked(setting.lower_basic_fuse_pass, traced, inputs)
        return self._checked(setting.customized_fuse_pass, traced, inputs)

    def _checked(
        self, function: Pass, module: fx.GraphModule, inputs: tuple[Any, ...]
    ) -> fx.GraphModule:
        setting = self.lower_setting
        return run_checked(
            function,
            module,
            examples(inputs, module),
            setting.correctness_atol,
            setting.correctness_rtol,
        )

    def _compiled(
        self,
        traced: fx.GraphModule | None,
        module: nn.Module,
        inputs: tuple[Any, ...],
        may_cut: bool,
    ) -> fx.GraphModule:
        if traced is None:
            lowered = lower(module, inputs)
            lowered.module = self._with_passes(lowered.module, inputs)
            captured = Captured({"": lowered})
        else:
            captured = capture(traced, inputs) if may_cut else Captured({"": lower(traced, inputs)})
        for piece in captured.pieces.values():
            piece.module = self._checked(
                self.lower_setting.lowered_pass, piece.module, piece.inputs
            )
        return build(captured, self._options)
