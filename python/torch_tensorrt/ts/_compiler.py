"""ts.compile and its companions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch_tensorrt import _C
from torch_tensorrt._report import report
from torch_tensorrt._settings import compiling, take_dryrun_path, to_compiler_settings
from torch_tensorrt.ts._script import Script, to_script, to_signature


def compile(
    module: Any,
    inputs: Sequence[Any] | None = None,
    input_signature: Any = None,
    **settings: Any,
) -> Script:
    """Build engines for the parts of `module` that an engine supports; the rest stays in PyTorch.

    Args:
        module: a torch.jit.ScriptModule or ScriptFunction, or an nn.Module, which is scripted (or,
            where scripting fails, traced with the inputs, with a line in the log). It is not
            changed.
        inputs: one element per argument of forward: an Input, an example tensor or a shape.
        input_signature: in the place of `inputs` where arguments are tuples, lists or dicts: the
            tuple of arguments, nested as forward takes them.
        settings: see docs/settings.md.

    Returns:
        A new ScriptModule with the same forward. `torch.jit.save` writes it; whatever has loaded
        libtorchtrt_runtime.so runs it. `torch_tensorrt.report` says what became of every op.

    Raises:
        TypeError: an unknown setting.
        ValueError: inputs or settings do not fit; the message says what was expected.
        NotImplementedError: `require_full_compilation`, and an op cannot run in an engine.
        ImportError: the engine that was asked for is missing; the message says what to install.

    >>> import torch, torch_tensorrt
    >>> layers = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Softmax(-1)).eval()
    >>> model = torch.jit.script(layers)
    >>> inputs = [torch_tensorrt.Input((3, 4))]
    >>> fast = torch_tensorrt.ts.compile(model, inputs, min_block_size=1)
    >>> torch.allclose(fast(torch.ones(3, 4)), model(torch.ones(3, 4)), rtol=1e-4)
    True
    """
    path = take_dryrun_path(settings)
    options = to_compiler_settings(settings)
    arguments = _arguments(inputs, input_signature)
    signature = to_signature(arguments)
    script = to_script(module, arguments)
    with compiling(options):
        compiled = _wrapped(_C.compile(script._c, signature, options, "forward"))
    if path is not None:
        path.write_text(report(compiled).text)
    return compiled


def convert_method_to_trt_engine(
    module: Any,
    method_name: str = "forward",
    inputs: Sequence[Any] | None = None,
    input_signature: Any = None,
    **settings: Any,
) -> bytes:
    """The whole method as one engine, serialized.

    `method_name` is the method to convert; the other arguments are those of `compile`.

    Raises:
        NotImplementedError: an op cannot run in an engine; the message names it.

    >>> import torch, torch_tensorrt
    >>> model = torch.jit.script(torch.nn.Linear(4, 2).eval())
    >>> inputs = [torch_tensorrt.Input((3, 4))]
    >>> engine = torch_tensorrt.ts.convert_method_to_trt_engine(model, inputs=inputs)
    >>> torch_tensorrt.ts.embed_engine_in_new_module(engine)(torch.ones(3, 4)).shape
    torch.Size([3, 2])
    """
    options = to_compiler_settings(settings)
    arguments = _arguments(inputs, input_signature)
    signature = to_signature(arguments)
    script = to_script(module, arguments, method_name)
    with compiling(options):
        return _C.convert_method_to_engine(script._c, signature, options, method_name)


def embed_engine_in_new_module(
    serialized_engine: bytes,
    input_binding_names: Sequence[str] | None = None,
    output_binding_names: Sequence[str] | None = None,
    **settings: Any,
) -> Script:
    """A module whose forward runs the engine: tensors in, one tensor or a tuple out.

    Args:
        serialized_engine: what `convert_method_to_trt_engine` gave.
        input_binding_names: not needed, the engine carries the names of its inputs.
        output_binding_names: not needed either.
        settings: `device` and `engine` as in `compile`.

    Raises:
        RuntimeError: the bytes are damaged, or no engine here can run them.
    """
    del input_binding_names, output_binding_names
    return _wrapped(_C.embed_engine(serialized_engine, to_compiler_settings(settings)))


def check_method_op_support(module: Any, method_name: str = "forward") -> bool:
    """Whether every op of the method can be converted; the ops that cannot are in the log (INFO).

    >>> import torch, torch_tensorrt
    >>> torch_tensorrt.ts.check_method_op_support(torch.jit.script(torch.nn.ReLU()))
    True
    """
    missing = _C.unsupported_ops(to_script(module, None, method_name)._c, method_name)
    if missing:
        _C.log(_C.LogLevel.Info, f"ops without a converter: {', '.join(missing)}")
    return not missing


def _arguments(inputs: Sequence[Any] | None, input_signature: Any) -> Any:
    if (inputs is None) == (input_signature is None):
        raise ValueError(
            "expected either inputs or input_signature, one element per argument of the method"
        )
    if inputs is not None:
        return inputs
    return input_signature if isinstance(input_signature, tuple | list) else (input_signature,)


def _wrapped(module: Any) -> Script:
    wrapped: Script = torch.jit._recursive.wrap_cpp_module(module)
    return wrapped
