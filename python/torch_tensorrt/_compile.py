"""compile, convert_method_to_trt_engine, save and load: one name for all frontends."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from torch_tensorrt import ts
from torch_tensorrt.ts._script import to_script

_LATER = ("dynamo", "fx", "torch_compile")


def compile(
    module: Any,
    ir: str = "default",
    inputs: Sequence[Any] | None = None,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    enabled_precisions: Collection[Any] | None = None,
    **settings: Any,
) -> torch.jit.ScriptModule:
    """Build engines for the parts of `module` that an engine supports; the rest stays in PyTorch.

    Args:
        module: an nn.Module, or a torch.jit.ScriptModule or ScriptFunction. It is not changed.
        ir: the frontend: "ts" (or "torchscript"); "default" takes it too.
        inputs: one element per argument: an Input (min, opt and max shapes make dimensions
            dynamic), an example tensor or a shape; tuples, lists and dicts of those where forward
            takes such. Arguments that are not tensors may be left out, or stand for the value
            that engines are tuned for.
        arg_inputs: another name of `inputs`.
        kwarg_inputs: further arguments by name.
        enabled_precisions: dtypes that engines may compute in beside the model's own:
            torch.float16, torch.bfloat16, ...
        settings: see docs/settings.md.

    Returns:
        A new torch.jit.ScriptModule with the same forward. `torch_tensorrt.report` says what became
        of every op.

    Raises:
        TypeError: an unknown setting; the message has the nearest name.
        ValueError: inputs or settings do not fit; the message says what was expected.
        NotImplementedError: the frontend is missing, or `require_full_compilation` and an op cannot
            run in an engine.
        ImportError: the engine that was asked for is missing; the message says what to install.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    >>> batch = torch_tensorrt.Input(
    ...     min_shape=(1, 3, 8, 8), opt_shape=(2, 3, 8, 8), max_shape=(4, 3, 8, 8)
    ... )
    >>> fast = torch_tensorrt.compile(model, ir="ts", inputs=[batch], min_block_size=1)
    >>> fast(torch.ones(3, 3, 8, 8)).shape
    torch.Size([3, 8, 6, 6])
    """
    _check_ir(ir)
    arguments, script = _prepared(module, inputs, arg_inputs, kwarg_inputs)
    return ts.compile(script, arguments, enabled_precisions=enabled_precisions, **settings)


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

    `ts.embed_engine_in_new_module` makes it a module again. `method_name` is the method to convert;
    the other arguments are those of `compile`.

    Raises:
        NotImplementedError: the frontend is missing, or an op cannot run in an engine; the message
            names it.
    """
    _check_ir(ir)
    arguments, script = _prepared(module, inputs, arg_inputs, kwarg_inputs, method_name)
    return ts.convert_method_to_trt_engine(
        script, method_name, arguments, enabled_precisions=enabled_precisions, **settings
    )


def save(
    module: Any,
    file_path: str | os.PathLike[str] = "",
    *,
    extra_files: dict[str, Any] | None = None,
    output_format: str | None = None,
) -> None:
    """Write a compiled module to a file, engines included.

    Args:
        module: what `compile` gave.
        file_path: the file.
        extra_files: further files in it, content by name.
        output_format: "torchscript"; left out, it follows from the module.

    Raises:
        ValueError: the module cannot be written in that format.

    >>> import os, tempfile, torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval()
    >>> fast = torch_tensorrt.compile(model, ir="ts", inputs=[torch.ones(1, 4)], min_block_size=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch_tensorrt.save(fast, os.path.join(folder, "fast.ts"))
    ...     again = torch_tensorrt.load(os.path.join(folder, "fast.ts"))
    >>> torch.equal(again(torch.ones(1, 4)), fast(torch.ones(1, 4)))
    True
    """
    if not os.fspath(file_path):
        raise ValueError("file_path is empty, expected the file to write")
    if not isinstance(module, torch.jit.ScriptModule):
        raise ValueError(
            f"module is a {type(module).__name__}, expected a torch.jit.ScriptModule as compile "
            "gives it"
        )
    if output_format not in (None, "torchscript"):
        raise ValueError(
            f"output_format is {output_format!r}, expected 'torchscript' for a ScriptModule"
        )
    torch.jit.save(module, os.fspath(file_path), extra_files)


def load(
    file_path: str | os.PathLike[str] = "", extra_files: dict[str, Any] | None = None
) -> torch.jit.ScriptModule:
    """Read a module that `save`, torch.jit.save or torchtrtc wrote. Nothing is compiled again where
    the engines fit.

    Args:
        file_path: the file.
        extra_files: names of further files in it; their contents are put in as values.

    Raises:
        ValueError: the file is missing or no TorchScript module.
        RuntimeError: an engine in it cannot run here; the message names what it was made for and
        what is here.
    """
    path = os.fspath(file_path)
    if not Path(path).is_file():
        raise ValueError(f"no file {path!r}, expected one that torch_tensorrt.save wrote")
    try:
        loaded: torch.jit.ScriptModule = torch.jit.load(path, _extra_files=extra_files)
        return loaded
    except RuntimeError as error:
        if "PytorchStreamReader" in str(error) or "constants.pkl" in str(error):
            raise ValueError(
                f"{path!r} is no TorchScript module: {str(error).splitlines()[0]}"
            ) from error
        raise


def _check_ir(ir: str) -> None:
    if ir in _LATER:
        raise NotImplementedError(
            f"ir is {ir!r}, which this version does not have yet; use ir='ts'"
        )
    if ir not in ("default", "ts", "torchscript"):
        raise ValueError(f"ir is {ir!r}, expected one of default, ts, torchscript")


def _prepared(
    module: Any,
    inputs: Sequence[Any] | None,
    arg_inputs: Sequence[Any] | None,
    kwarg_inputs: Mapping[str, Any] | None,
    method: str = "forward",
) -> tuple[list[Any], torch.jit.ScriptModule]:
    if inputs is not None and arg_inputs is not None:
        raise ValueError(
            "inputs and arg_inputs are both given, expected one of them: they are the same"
        )
    positional = inputs if inputs is not None else arg_inputs
    if positional is None and kwarg_inputs is None:
        raise ValueError(
            "inputs is missing, expected one torch_tensorrt.Input or example tensor per argument"
        )
    positional = [] if positional is None else positional
    if isinstance(positional, torch.Tensor) or not isinstance(positional, Sequence):
        raise ValueError("inputs is no list, expected a list with one element per argument")
    script = to_script(module, positional, method, kwarg_inputs or {})
    arguments = list(positional)
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
