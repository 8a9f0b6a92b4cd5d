"""LowerSetting: the options of `fx.compile` and `Lowerer`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec
from torch_tensorrt.fx.passes import PassManager, fuse_permute_linear, fuse_permute_matmul
from torch_tensorrt.fx.utils import LowerPrecision

Pass = Callable[[fx.GraphModule], fx.GraphModule]


@dataclass
class LowerSettingBasic:
    """What every lowering has.

    Attributes:
        max_batch_size: the largest batch, where the batch is dynamic.
        lower_precision: what engines may compute in beside the model's own types.
        min_acc_module_size: fewest ops that are worth an engine.
        device: no effect; engines are where the weights are.
        ast_rewriter_allow_list: no effect; code is not rewritten before it is traced.
        leaf_module_list: classes of modules that are one node of a symbolic trace.
        verbose_profile: no effect; see `TRTModule.enable_profiling`.
        is_aten: trace aten operators, not modules and functions.
    """

    max_batch_size: int = 2048
    lower_precision: LowerPrecision = LowerPrecision.FP32
    min_acc_module_size: int = 10
    device: torch.device | None = None
    ast_rewriter_allow_list: set[type[nn.Module]] | None = None
    leaf_module_list: set[type[nn.Module]] | None = None
    verbose_profile: bool = False
    is_aten: bool = False


@dataclass
class LowerSetting(LowerSettingBasic):
    """All options of a lowering.

    Attributes:
        input_specs: what the module will be called with; left out, it follows from the inputs.
        explicit_batch_dimension: no effect; the batch is dimension 0, `dynamic_batch` says whether
            it varies.
        explicit_precision: no effect; engines are always strongly typed.
        max_workspace_size: bytes that an engine may take for its work, where it asks.
        strict_type_constraints: no effect; engines are always strongly typed.
        customized_fuse_pass: passes over the traced graph, behind `lower_basic_fuse_pass`.
        lower_basic_fuse_pass: the first passes over the traced graph.
        lowered_pass: passes over the graph of aten operators.
        verbose_log: print each step.
        algo_selector: no effect.
        timing_cache_prefix, save_timing_cache: no effect; compiled engines are cached on disk.
        cuda_graph_batch_size: no effect; kept for the reader in `TRTModule`.
        preset_lowerer: no effect but where it is not empty: there are no presets.
        opt_profile_replica: no effect; one profile serves all calls.
        dynamic_batch: whether batches of 1..max_batch_size are compiled for.
        tactic_sources: no effect.
        correctness_atol, correctness_rtol: how far a pass may change results.
        use_experimental_rt: no effect; there is one runtime.
        settings: further settings, see docs/settings.md.
    """

    input_specs: list[InputTensorSpec] = field(default_factory=list)
    explicit_batch_dimension: bool = True
    explicit_precision: bool = False
    max_workspace_size: int = 1 << 30
    strict_type_constraints: bool = False
    customized_fuse_pass: Pass = field(default_factory=PassManager)
    lower_basic_fuse_pass: Pass = field(
        default_factory=lambda: PassManager([fuse_permute_matmul, fuse_permute_linear])
    )
    lowered_pass: Pass = field(default_factory=PassManager)
    verbose_log: bool = False
    algo_selector: Any = None
    timing_cache_prefix: str = ""
    save_timing_cache: bool = False
    cuda_graph_batch_size: int = -1
    preset_lowerer: str = ""
    opt_profile_replica: int = 8
    dynamic_batch: bool = True
    tactic_sources: int | None = None
    correctness_atol: float = 0.1
    correctness_rtol: float = 0.1
    use_experimental_rt: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.preset_lowerer:
            raise ValueError(
                f"preset_lowerer is {self.preset_lowerer!r}, expected '': there are no presets"
            )
        if self.max_batch_size < 1:
            raise ValueError(f"max_batch_size is {self.max_batch_size}, expected at least 1")
