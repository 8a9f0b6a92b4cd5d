"""save and load: one file with engines included."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram

from torch_tensorrt._Input import kind_of
from torch_tensorrt._program.export import to_exported_program
from torch_tensorrt._program.torchscript import to_torchscript

_FORMATS = ("exported_program", "torchscript", "aot_inductor")


def save(
    module: Any,
    file_path: str | os.PathLike[str] = "",
    *,
    extra_files: dict[str, Any] | None = None,
    output_format: str | None = None,
    inputs: Sequence[Any] | None = None,
    arg_inputs: Sequence[Any] | None = None,
    kwarg_inputs: Mapping[str, Any] | None = None,
    retrace: bool = False,
    dynamic_shapes: Any = None,
) -> None:
    """Write a compiled module to a file, engines included.

    Nothing is traced again: dynamic sizes, also those that depend on data, stay what they are.
    Whenever the process ends, the file is the old one or the new one, whole.

    Args:
        module: what `compile` gave, or a torch.export.ExportedProgram.
        file_path: the file; its name ends in ".pt2" for "aot_inductor".
        extra_files: further files in it, content by name.
        output_format: "exported_program" (torch.export.load or `load` reads it), "torchscript" (a
            ScriptModule, which C++ runs without Python) or "aot_inductor" (a package of compiled
            code); left out: "torchscript" for a ScriptModule, else "exported_program".
        inputs: not needed, since nothing is traced; accepted for code that has it.
        arg_inputs: not needed either.
        kwarg_inputs: not needed either.
        retrace: not needed either.
        dynamic_shapes: not needed either.

    Raises:
        ValueError: the module cannot be written in that format.

    >>> import os, tempfile, torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval()
    >>> fast = torch_tensorrt.compile(model, inputs=[torch.ones(1, 4)], min_block_size=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch_tensorrt.save(fast, os.path.join(folder, "fast.ts"), output_format="torchscript")
    ...     again = torch_tensorrt.load(os.path.join(folder, "fast.ts"))
    >>> torch.equal(again(torch.ones(1, 4)), fast(torch.ones(1, 4)))
    True
    """
    del inputs, arg_inputs, kwarg_inputs, retrace, dynamic_shapes
    path = os.fspath(file_path)
    if not path:
        raise ValueError("file_path is empty, expected the file to write")
    script = isinstance(module, torch.jit.ScriptModule)
    if not script and not isinstance(module, fx.GraphModule | ExportedProgram):
        raise ValueError(
            f"module is {kind_of(module)}, expected what torch_tensorrt.compile gave with "
            "ir='dynamo', 'fx' or 'ts', or a torch.export.ExportedProgram"
        )
    chosen = output_format or ("torchscript" if script else "exported_program")
    if chosen not in _FORMATS:
        raise ValueError(f"output_format is {chosen!r}, expected one of {', '.join(_FORMATS)}")
    if script and chosen != "torchscript":
        raise ValueError(f"output_format is {chosen!r}, expected 'torchscript' for a ScriptModule")
    if chosen == "torchscript":
        if isinstance(module, ExportedProgram):
            raise ValueError(
                "output_format is 'torchscript' and module is an ExportedProgram, expected the "
                "module that torch_tensorrt.compile gave"
            )
        written = module if script else to_torchscript(module)
        with _replacing(path) as new:
            torch.jit.save(written, new, extra_files)
        return
    program = module if isinstance(module, ExportedProgram) else to_exported_program(module)
    if chosen == "exported_program":
        with _replacing(path) as new:
            torch.export.save(program, new, extra_files=extra_files)
        return
    if extra_files:
        raise ValueError("extra_files are given, which output_format 'aot_inductor' cannot hold")
    with _replacing(path) as new:
        torch._inductor.aoti_compile_and_package(program, package_path=new)


@contextmanager
def _replacing(path: str) -> Iterator[str]:
    """A path to write to, whose file takes the place of `path` when it is on the disk.

    In a folder of its own beside `path`: an archive holds the name of the file that it was
    written to.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        yield path  # a device or a pipe, which nothing can replace
        return
    try:
        folder = tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent)
    except OSError as error:
        raise ValueError(f"cannot write {path!r}: {error.strerror}") from error
    try:
        new = Path(folder) / target.name
        yield str(new)
        _sync(new)
        new.replace(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    """Return when what was written is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(
    file_path: str | os.PathLike[str] = "",
    extra_files: dict[str, Any] | None = None,
) -> Any:
    """Read what `save`, torch.export.save, torch.jit.save or torchtrtc wrote. Nothing is compiled
    again where the engines fit.

    Args:
        file_path: the file.
        extra_files: names of further files in it; their contents are put in as values.

    Returns:
        A torch.export.ExportedProgram (its `module()` runs), a torch.jit.ScriptModule, or a
        callable package of compiled code, as the file is.

    Raises:
        ValueError: the file is missing or none of these.
        RuntimeError: an engine in it cannot run here; the message names what it was made for and
        what is here.
    """
    path = os.fspath(file_path)
    if not Path(path).is_file():
        raise ValueError(f"no file {path!r}, expected one that torch_tensorrt.save wrote")
    kind = _kind_of(path)
    if kind == "exported_program":
        return torch.export.load(path, extra_files=extra_files)
    if kind == "aot_inductor":
        return torch._inductor.aoti_load_package(path)
    try:
        return torch.jit.load(path, _extra_files=extra_files)
    except RuntimeError as error:
        if "PytorchStreamReader" in str(error) or "constants.pkl" in str(error):
            raise ValueError(
                f"{path!r} is neither a TorchScript module nor an exported program: "
                f"{str(error).splitlines()[0]}"
            ) from error
        raise


def _kind_of(path: str) -> str:
    """By the names in the archive; a file that is none is left to torch.jit.load to refuse."""
    import zipfile

    if not zipfile.is_zipfile(path):
        return "torchscript"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any("/data/aotinductor/" in name for name in names):
        return "aot_inductor"
    exported = any("models/" in name and name.endswith(".json") for name in names)
    return (
        "exported_program"
        if exported or any(n.endswith("serialized_exported_program.json") for n in names)
        else "torchscript"
    )
