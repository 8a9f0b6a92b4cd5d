"""Compile settings as Python has them, turned into those that the compiler declares and checks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import Any

import torch

from torch_tensorrt import _C
from torch_tensorrt._Device import Device
from torch_tensorrt._enums import dtype

# Upstream's other names of settings.
_OTHER_NAMES = {
    "engine_capability": "capability",
    "make_refittable": "refit",
    "truncate_double": "truncate_long_and_double",
}
# Settings of upstream that nothing here depends on: name, upstream's default, and why.
WITHOUT_EFFECT: dict[str, tuple[Any, str]] = {
    "assume_dynamic_shape_support": (False, "all converters support dynamic shapes"),
    "attn_bias_is_causal": (True, "attention masks are taken as they are"),
    "custom_engine_cache": (None, "the cache is a folder: engine_cache_dir"),
    "decompose_attention": (False, "an engine without attention layers gets them composed"),
    "dynamically_allocate_resources": (False, "an engine's memory is taken at its first call"),
    "enable_experimental_decompositions": (False, "there is one set of decompositions"),
    "enable_resource_partitioning": (False, "weights are shared with the model, not copied"),
    "cpu_memory_budget": (None, "weights are shared with the model, not copied"),
    "engine_cache_size": (5368709120, "the cache has no limit"),
    "fallback_data_dependent_ops": (False, "ops whose shapes depend on data stay in PyTorch"),
    "immutable_weights": (True, "weights can be replaced in every engine"),
    "lazy_engine_init": (False, "an engine is loaded once it is built"),
    "offload_module_to_cpu": (False, "weights are shared with the model, not copied"),
    "reuse_cached_engines": (False, "cache_built_engines both writes and reads"),
    "use_distributed_mode_trace": (False, "there is one way to trace"),
    "use_explicit_typing": (True, "engines are always strongly typed"),
    "use_fast_partitioner": (True, "there is one partitioner"),
    "use_fp32_acc": (False, "matmuls of reduced precision always accumulate in float32"),
    "use_python_runtime": (None, "there is one runtime"),
}


def to_compiler_settings(keywords: dict[str, Any]) -> dict[str, _C.SettingValue]:
    """Keyword arguments with Python's types (Device, dtypes, modules' classes) as the compiler's.

    None means the default.

    Raises:
        TypeError: no setting has that name; the message has the nearest one.
        ValueError: a value does not fit its setting.
    """
    settings: dict[str, Any] = {}
    for given, value in keywords.items():
        name = _OTHER_NAMES.get(given, given)
        if name in WITHOUT_EFFECT:
            default, reason = WITHOUT_EFFECT[name]
            if value not in (None, default):
                _C.log(_C.LogLevel.Info, f"setting '{name}' has no effect: {reason}")
            continue
        if value is None:
            continue
        if name == "device":
            settings.update(Device._from(value)._settings())
        elif name == "enabled_precisions":
            settings[name] = sorted({_precision(p) for p in _collection(name, value)})
        elif name == "torch_executed_ops":
            settings[name] = [_op_name(op) for op in _collection(name, value)]
        elif name == "torch_executed_modules":
            settings[name] = [_module_name(m) for m in _collection(name, value)]
        else:
            settings[name] = value.value if isinstance(value, Enum) else value
    _C.check_settings(settings)
    return settings


def take_dryrun_path(settings: dict[str, Any]) -> Path | None:
    """Where to write the report, if `dryrun` is a path; the setting becomes True."""
    path = settings.get("dryrun")
    if not isinstance(path, str | os.PathLike):
        return None
    settings["dryrun"] = True
    return Path(path)


def _collection(name: str, value: object) -> list[Any]:
    if isinstance(value, set | frozenset | list | tuple):
        return list(value)
    raise ValueError(f"setting '{name}' is {value!r}, expected a set or a list")


def _precision(value: object) -> str:
    found = dtype.try_from(value)
    return found.name if found else str(value)


def _op_name(op: object) -> str:
    """aten::relu, for a name in either spelling or an operator of torch.ops."""
    if isinstance(op, torch._ops.OpOverload | torch._ops.OpOverloadPacket):
        op = str(op)
    if not isinstance(op, str):
        raise ValueError(
            f"setting 'torch_executed_ops' contains {op!r}, expected a name or an operator of "
            "torch.ops"
        )
    if "::" in op:
        return op
    namespace, _, name = op.removeprefix("torch.ops.").partition(".")
    return f"{namespace}::{name.removesuffix('.default')}" if name else op


def _module_name(module: object) -> str:
    if isinstance(module, type):
        return f"{module.__module__}.{module.__qualname__}"
    return str(module)


class CompilationSettings:
    """Read-only: every setting of docs/settings.md as an attribute, else its default.

    >>> CompilationSettings(min_block_size=1).min_block_size
    1
    >>> CompilationSettings().require_full_compilation
    False
    """

    def __init__(self, **settings: Any) -> None:
        _C.check_settings(settings)
        self.__dict__.update(_defaults())
        self.__dict__.update(settings)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"setting {name!r} cannot change after compiling")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompilationSettings) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        changed = {k: v for k, v in vars(self).items() if v != _defaults()[k]}
        return f"CompilationSettings({', '.join(f'{k}={v!r}' for k, v in changed.items())})"


def _defaults() -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for row in _C.setting_table():
        text = row["default"]
        if row["kind"] == "bool":
            defaults[row["name"]] = text == "true"
        elif row["kind"] == "int":
            defaults[row["name"]] = int(text)
        elif row["kind"] == "str":
            defaults[row["name"]] = text.strip("'")
        else:
            defaults[row["name"]] = [
                part.strip(" '") for part in text.strip("[]{}").split(",") if part
            ]
    return defaults


_current: ContextVar[CompilationSettings | None] = ContextVar("settings", default=None)


@contextlib.contextmanager
def compiling(settings: dict[str, _C.SettingValue]) -> Iterator[None]:
    """Converters and validators that run inside see these settings."""
    token = _current.set(CompilationSettings(**settings))
    try:
        yield
    finally:
        _current.reset(token)


def current_settings() -> CompilationSettings:
    """Those of the compilation that runs; the defaults where none does."""
    return _current.get() or CompilationSettings()
