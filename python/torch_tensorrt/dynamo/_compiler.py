"""dynamo.compile and its companions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import fx
from torch.export import ExportedProgram

from torch_tensorrt import _C
from torch_tensorrt._Input import kind_of
from torch_tensorrt._program import Compiled, Ranges, compile_graph_module
from torch_tensorrt._program.functional import functional
from torch_tensorrt._settings import CompilationSettings, take_dryrun_path, to_compiler_settings
from torch_tensorrt.dynamo._tracer import arguments, placeholder_values, symbol_ranges
from torch_tensorrt.dynamo.lowering import run_passes
from torch_tensorrt.runtime._module import TorchTensorRTModule

# What upstream's users know; the compiler's own default serves the TorchScript frontend.
MIN_BLOCK_SIZE = 5


def compile(
    exported_program: ExportedProgram,
    inputs: Sequence[Any] | None = None,
    *,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> fx.GraphModule:
    """Build engines for the parts of a program that an engine supports; the rest stays in PyTorch.

    Args:
        exported_program: what `trace` or torch.export.export gave; it is not changed.
        inputs: as for `trace`; shapes are needed only where the program has dynamic dimensions
            without an upper bound.
        arg_inputs: another name of `inputs`.
        kwarg_inputs: further arguments by name.
        settings: see docs/settings.md.

    Returns:
        A torch.fx.GraphModule that is called as the module was; its engines are submodules.
        `torch_tensorrt.report` says what became of every op.

    Raises:
        TypeError: an unknown setting; the message has the nearest name.
        ValueError: inputs or settings do not fit; the message says what was expected.
        NotImplementedError: `require_full_compilation`, and an op cannot run in an engine.
        ImportError: the engine that was asked for is missing; the message says what to install.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Softmax(-1)).eval()
    >>> program = torch.export.export(model, (torch.ones(3, 4),))
    >>> fast = torch_tensorrt.dynamo.compile(program, min_block_size=1)
    >>> torch.allclose(fast(torch.ones(3, 4)), model(torch.ones(3, 4)), rtol=1e-4)
    True
    """
    path = take_dryrun_path(settings)
    compiled = _compiled(exported_program, inputs, arg_inputs, kwarg_inputs, settings)
    if path is not None:
        path.write_text(compiled.report.text)
    return compiled.module()


def convert_exported_program_to_serialized_trt_engine(
    exported_program: ExportedProgram,
    inputs: Sequence[Any] | None = None,
    *,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> bytes:
    """The whole program as one engine, serialized; the arguments are those of `compile`.

    Raises:
        NotImplementedError: an op cannot run in an engine; the message names it.
    """
    full = {**settings, "require_full_compilation": True}
    module = _compiled(exported_program, inputs, arg_inputs, kwarg_inputs, full).module()
    parts = [m for m in module.children() if isinstance(m, TorchTensorRTModule)]
    if not parts:
        raise NotImplementedError(
            "[assembly] the program computes nothing that an engine could run"
        )
    return bytes(parts[0].engine.serialized_engine_tensor().numpy())


def _compiled(
    program: ExportedProgram,
    inputs: Sequence[Any] | None,
    arg_inputs: Sequence[Any] | None,
    kwarg_inputs: Mapping[str, Any] | None,
    settings: dict[str, Any],
) -> Compiled:
    if not isinstance(program, ExportedProgram):
        raise TypeError(
            f"exported_program is {kind_of(program)}, expected a "
            "torch.export.ExportedProgram; torch_tensorrt.dynamo.trace makes one"
        )
    options = to_compiler_settings({"min_block_size": MIN_BLOCK_SIZE, **settings})
    given = inputs is not None or arg_inputs is not None or kwarg_inputs is not None
    args, kwargs = arguments(inputs, arg_inputs, kwarg_inputs) if given else ((), {})
    lowered, graph_module = functional(program)
    ranges = symbol_ranges(lowered, args, kwargs)
    return compile_functional(lowered, graph_module, options, ranges)


def compile_functional(
    program: ExportedProgram,
    graph_module: fx.GraphModule,
    settings: dict[str, _C.SettingValue],
    ranges: Ranges,
) -> Compiled:
    """A program in the form that `functional` gives."""
    graph_module = run_passes(graph_module, CompilationSettings(**settings))
    return compile_graph_module(graph_module, placeholder_values(program), settings, ranges)
