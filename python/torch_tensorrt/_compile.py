"""compile and convert_method_to_trt_engine: one name for all frontends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram

from torch_tensorrt import dynamo, fx, ts
from torch_tensorrt._enums import dtype
from torch_tensorrt._Input import kind_of, positional_inputs
from torch_tensorrt.ts._script import to_script

_TORCHSCRIPT = ("ts", "torchscript")
_FRONTENDS = ("default", *_TORCHSCRIPT, "fx", "dynamo", "torch_compile")


def compile(
    module: Any,
    ir: str = "default",
    inputs: Sequence[Any] | None = None,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    enabled_precisions: Collection[Any] | None = None,
    **settings: Any,
) -> Any:
    """Build engines for the parts of `module` that an engine supports; the rest stays in PyTorch.

    Args:
        module: an nn.Module, a torch.fx.GraphModule, a torch.export.ExportedProgram, or a
            torch.jit.ScriptModule or ScriptFunction. It is not changed.
        ir: the frontend: "dynamo" (torch.export), "ts" or "torchscript", "fx", "torch_compile"
            (captured at the first call); "default": "ts" for what is TorchScript already, else
            "dynamo".
        inputs: one element per argument: an Input (min, opt and max shapes make dimensions
            dynamic), an example tensor or a shape; tuples, lists and dicts of those where forward
            takes such. Arguments that are not tensors may be left out, or stand for the value
            that engines are tuned for. "torch_compile" needs none.
        arg_inputs: another name of `inputs`.
        kwarg_inputs: further arguments by name.
        enabled_precisions: dtypes that engines may compute in beside the model's own:
            torch.float16, torch.bfloat16, ...
        settings: see docs/settings.md; "dynamo" also takes those of `dynamo.trace`.

    Returns:
        A module that is called as `module` was: a torch.fx.GraphModule from "dynamo", a
        torch.jit.ScriptModule from "ts", an nn.Module from "fx", a module that compiles at its
        first call from "torch_compile". `torch_tensorrt.report` says what became of every op.

    Raises:
        TypeError: an unknown setting; the message has the nearest name.
        ValueError: inputs or settings do not fit; the message says what was expected.
        NotImplementedError: `require_full_compilation`, and an op cannot run in an engine.
        ImportError: the engine that was asked for is missing; the message says what to install.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    >>> batch = torch_tensorrt.Input(
    ...     min_shape=(1, 3, 8, 8), opt_shape=(2, 3, 8, 8), max_shape=(4, 3, 8, 8)
    ... )
    >>> fast = torch_tensorrt.compile(model, inputs=[batch], min_block_size=1)
    >>> fast(torch.ones(3, 3, 8, 8)).shape
    torch.Size([3, 8, 6, 6])
    """
    if ir not in _FRONTENDS:
        raise ValueError(f"ir is {ir!r}, expected one of {', '.join(_FRONTENDS)}")
    if _is_script(module) and ir not in ("default", *_TORCHSCRIPT):
        raise ValueError(f"ir is {ir!r} and module is {kind_of(module)}, which only ir='ts' takes")
    precisions: dict[str, Any] = (
        {} if enabled_precisions is None else {"enabled_precisions": enabled_precisions}
    )
    if ir in _TORCHSCRIPT or _is_script(module):
        arguments, script = _prepared(module, inputs, arg_inputs, kwarg_inputs)
        return ts.compile(script, arguments, **precisions, **settings)
    if ir == "torch_compile":
        dynamic = settings.pop("dynamic", None)
        options = {**precisions, **settings}
        return torch.compile(module, backend="tensorrt", dynamic=dynamic, options=options)
    if ir == "fx":
        if kwarg_inputs:
            raise ValueError("kwarg_inputs are given, which ir='fx' does not take; use ir='dynamo'")
        settings = {"dynamic_batch": False, "explicit_batch_dimension": True, **settings}
        settings.setdefault("lower_precision", _fx_precision(enabled_precisions or ()))
        return fx.compile(module, positional_inputs(inputs, arg_inputs, None), **settings)
    tracing = {k: settings.pop(k) for k in ("dynamic_shapes", "strict") if k in settings}
    given: dict[str, Any] = {
        "arg_inputs": inputs if inputs is not None else arg_inputs,
        "kwarg_inputs": kwarg_inputs,
    }
    program = module
    if not isinstance(module, ExportedProgram):
        program = dynamo.trace(
            module, inputs, arg_inputs=arg_inputs, kwarg_inputs=kwarg_inputs, **tracing
        )
    return dynamo.compile(program, **given, **precisions, **settings)


def convert_method_to_trt_engine(
    module: Any,
    method_name: str = "forward",
    inputs: Sequence[Any] | None = None,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    ir: str = "default",
    enabled_precisions: Collection[Any] | None = None,
    **settings: Any,
) -> bytes:
    """The whole method as one engine, serialized.

    `ts.embed_engine_in_new_module` and `runtime.TorchTensorRTModule` make it a module again.
    `method_name` is the method to convert ("forward" alone where `ir` is "dynamo"); the other
    arguments are those of `compile`, `ir` is "default", "dynamo" or "ts".

    Raises:
        NotImplementedError: an op cannot run in an engine; the message names it.
    """
    if ir not in ("default", "dynamo", *_TORCHSCRIPT):
        raise ValueError(f"ir is {ir!r}, expected one of default, dynamo, ts, torchscript")
    precisions: dict[str, Any] = (
        {} if enabled_precisions is None else {"enabled_precisions": enabled_precisions}
    )
    if ir in _TORCHSCRIPT or _is_script(module) or method_name != "forward":
        arguments, script = _prepared(module, inputs, arg_inputs, kwarg_inputs, method_name)
        return ts.convert_method_to_trt_engine(
            script, method_name, arguments, **precisions, **settings
        )
    given: dict[str, Any] = {
        "arg_inputs": inputs if inputs is not None else arg_inputs,
        "kwarg_inputs": kwarg_inputs,
    }
    program = module if isinstance(module, ExportedProgram) else dynamo.trace(module, **given)
    return dynamo.convert_exported_program_to_serialized_trt_engine(
        program, **given, **precisions, **settings
    )


def _fx_precision(precisions: Collection[Any]) -> fx.LowerPrecision:
    """The lowest that is enabled, as fx names it."""
    names = {dtype.i8: "INT8", dtype.f16: "FP16", dtype.bf16: "BF16"}
    enabled = {dtype.try_from(precision) for precision in precisions}
    name = next((name for kind, name in names.items() if kind in enabled), "FP32")
    return fx.LowerPrecision[name]


def _is_script(module: Any) -> bool:
    return isinstance(module, torch.jit.ScriptModule | torch.jit.ScriptFunction)


def _prepared(
    module: Any,
    inputs: Sequence[Any] | None,
    arg_inputs: Sequence[Any] | None,
    kwarg_inputs: Mapping[str, Any] | None,
    method: str = "forward",
) -> tuple[list[Any], torch.jit.ScriptModule]:
    arguments = positional_inputs(inputs, arg_inputs, kwarg_inputs)
    script = to_script(module, arguments, method, kwarg_inputs or {})
    if kwarg_inputs:
        arguments += _in_order(getattr(script, method).schema, len(arguments), dict(kwarg_inputs))
    return arguments, script


def _in_order(schema: Any, given: int, by_name: dict[str, Any]) -> list[Any]:
    """Arguments given by name, in the order of the method's schema, behind the `given` first."""
    names = [argument.name for argument in schema.arguments[1 + given :]]
    unknown = [name for name in by_name if name not in names]
    if unknown:
        raise ValueError(
            f"kwarg_inputs has {', '.join(unknown)}, expected among {', '.join(names) or 'none'}"
        )
    used = names[: len(by_name)]
    skipped = [name for name in used if name not in by_name]
    if skipped:
        raise ValueError(
            f"kwarg_inputs has no {', '.join(skipped)}, expected all arguments up to "
            f"{list(by_name)[-1]}"
        )
    return [by_name[name] for name in used]
