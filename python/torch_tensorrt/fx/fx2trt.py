"""TRTInterpreter: a whole graph as one engine."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.utils import _pytree as pytree

from torch_tensorrt import logging
from torch_tensorrt._settings import to_compiler_settings
from torch_tensorrt.fx._build import compile_lowered
from torch_tensorrt.fx._inputs import to_inputs
from torch_tensorrt.fx._lowering import lower
from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec
from torch_tensorrt.fx.utils import LowerPrecision


class TRTInterpreterResult(NamedTuple):
    """One engine, and what `TRTModule` has to know to call it as the graph was called.

    Attributes:
        engine: a `torch.classes.tensorrt.Engine`.
        input_names: the graph's inputs in order.
        output_names: the engine's output behind each result, in order.
        serialized_cache: none; compiled engines are cached on disk, see the setting
            `cache_built_engines`.
    """

    engine: Any
    input_names: list[str]
    output_names: list[str]
    serialized_cache: bytes | None = None


class TRTInterpreter:
    """Converts a graph into one engine.

    Args:
        module: what `fx.trace` or a splitter gave, or any module that torch.export takes.
        input_specs: one element per argument: an `InputTensorSpec`, an example tensor, a
            torch_tensorrt.Input.
        explicit_batch_dimension: whether the specs say what the batch may be. Without, dimension 0
            of each is a batch of 1..`max_batch_size`, put in front where the spec says
            `has_batch_dim=False`.
        explicit_precision: no effect; engines are always strongly typed.
        logger_level: a level of Python's logging to print messages of while converting.

    Raises:
        ValueError: a spec without a batch, although the batch is explicit.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx import InputTensorSpec, TRTInterpreter
    >>> x = torch.ones(3, 4)
    >>> traced = torch_tensorrt.fx.trace(torch.nn.Linear(4, 2).eval(), [x])
    >>> result = TRTInterpreter(traced, InputTensorSpec.from_tensors([x])).run()
    >>> result.input_names
    ['input']
    """

    def __init__(
        self,
        module: nn.Module,
        input_specs: Sequence[Any],
        explicit_batch_dimension: bool = True,
        explicit_precision: bool = False,
        logger_level: int | None = None,
    ) -> None:
        del explicit_precision
        self.module, self.input_specs = module, list(input_specs)
        self.explicit_batch_dimension = explicit_batch_dimension
        self.logger_level = logger_level
        if explicit_batch_dimension:
            for index, spec in enumerate(self.input_specs):
                if isinstance(spec, InputTensorSpec) and not spec.has_batch_dim:
                    raise ValueError(
                        f"input_specs[{index}] has has_batch_dim=False, expected the batch in its "
                        "shape; or pass explicit_batch_dimension=False"
                    )

    def run(
        self,
        max_batch_size: int = 64,
        max_workspace_size: int = 1 << 25,
        lower_precision: LowerPrecision = LowerPrecision.FP16,
        sparse_weights: bool = False,
        disable_tf32: bool = False,
        force_fp32_output: bool = False,
        strict_type_constraints: bool = False,
        algorithm_selector: Any = None,
        timing_cache: Any = None,
        profiling_verbosity: Any = None,
        tactic_sources: int | None = None,
        max_aux_streams: int | None = None,
        version_compatible: bool = False,
        optimization_level: int | None = None,
        **settings: Any,
    ) -> TRTInterpreterResult:
        """Builds the engine.

        Args:
            max_batch_size: the largest batch, where the batch is not explicit.
            max_workspace_size: bytes that an engine may take for its work, where it asks.
            lower_precision: what the engine may compute in beside the model's own types.
            sparse_weights: let TensorRT use structured sparsity.
            disable_tf32: compute float32 on GPUs without TF32.
            force_fp32_output: give floating results as float32, also of a half model.
            strict_type_constraints: no effect; engines are always strongly typed.
            algorithm_selector: no effect.
            timing_cache: no effect; compiled engines are cached on disk.
            profiling_verbosity: no effect; `TRTModule.get_layer_info` shows all layers.
            tactic_sources: no effect.
            max_aux_streams: no effect.
            version_compatible: no effect; an engine that does not fit is rebuilt from its Network.
            optimization_level: effort of TensorRT's builder, 0..5.
            settings: further settings, see docs/settings.md.

        Raises:
            NotImplementedError: something cannot run in the engine; the message names the op and
                its place.
            ValueError: the model fixes a dimension that the specs let vary.
            TypeError: an unknown setting.
        """
        del strict_type_constraints, algorithm_selector, timing_cache, profiling_verbosity
        del tactic_sources, max_aux_streams, version_compatible
        options = {
            "workspace_size": max_workspace_size,
            "enabled_precisions": {lower_precision.dtype},
            "sparse_weights": sparse_weights,
            "disable_tf32": disable_tf32,
            "optimization_level": optimization_level,
            **settings,
            "require_full_compilation": True,
            "min_block_size": 1,
        }
        with _printing(self.logger_level):
            lowered = lower(self.module, to_inputs(self._specs(max_batch_size)))
            if force_fp32_output:
                _cast_results(lowered.module)
            compiled = compile_lowered(lowered, to_compiler_settings(options))
        return _result(compiled.module())

    def _specs(self, max_batch_size: int) -> list[Any]:
        if self.explicit_batch_dimension:
            return self.input_specs
        return [_with_batch(spec, max_batch_size) for spec in self.input_specs]


def _with_batch(spec: Any, largest: int) -> InputTensorSpec:
    """The spec with a batch of 1..largest in front."""
    if isinstance(spec, torch.Tensor):
        spec = InputTensorSpec.from_tensor(spec)
    if not isinstance(spec, InputTensorSpec) or spec.shape_ranges:
        raise ValueError(
            "explicit_batch_dimension is False, expected tensors or InputTensorSpecs without ranges"
        )
    rest = tuple(spec.shape[1:] if spec.has_batch_dim else spec.shape)
    opt = spec.shape[0] if spec.has_batch_dim and spec.shape[0] > 0 else largest
    if opt > largest:
        raise ValueError(f"max_batch_size is {largest}, but an input has a batch of {opt}")
    ranges = [((1, *rest), (opt, *rest), (largest, *rest))]
    return InputTensorSpec((-1, *rest), spec.dtype, spec.device, ranges)


def _cast_results(module: fx.GraphModule) -> None:
    (output,) = module.graph.find_nodes(op="output")

    def cast(node: fx.Node) -> fx.Node:
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            return node
        if value.dtype is torch.float32:
            return node
        with module.graph.inserting_before(output):
            result = module.graph.call_function(
                torch.ops.aten._to_copy.default, (node,), {"dtype": torch.float32}
            )
        result.meta["val"] = value.to(torch.float32)
        return result

    output.args = fx.map_arg(output.args, cast)
    module.recompile()


def _result(module: fx.GraphModule) -> TRTInterpreterResult:
    """The engine of a compiled graph that does nothing beside calling it."""
    inputs = module.graph.find_nodes(op="placeholder")
    (output,) = module.graph.find_nodes(op="output")
    calls = module.graph.find_nodes(op="call_module")
    if not calls:
        raise NotImplementedError(
            "[partitioning] the graph has no op that an engine computes, expected at least one"
        )
    (call,) = calls
    engine: Any = module.get_submodule(str(call.target)).engine
    names, outputs = engine.input_names(), engine.output_names()
    by_name = dict(zip(names, call.args, strict=True))
    called = {node: name for name, node in by_name.items()}
    if any(node not in inputs for node in called):
        raise NotImplementedError(
            f"[assembly] the engine reads {', '.join(names)}, which are not all inputs of the graph"
        )
    results = []
    for value in pytree.tree_leaves(output.args[0]):
        if value is call:
            results.append(outputs[0])
        elif isinstance(value, fx.Node) and value.target is operator.getitem:
            results.append(outputs[value.args[1]])
        else:
            raise NotImplementedError(
                f"[assembly] the graph returns {value}, which is no result of the engine but an "
                "input or a constant; return it outside of the graph"
            )
    order = [called.get(node, str(node.target)) for node in inputs]
    return TRTInterpreterResult(engine, order, results)


@contextlib.contextmanager
def _printing(level: int | None) -> Any:
    if level is None:
        yield
        return
    before = logging._get()
    logging.set_level(level)
    try:
        yield
    finally:
        logging._set(before)
