"""Compile settings as Python has them, turned into those that the compiler declares and checks."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Any

import torch

from torch_tensorrt import _C
from torch_tensorrt._Device import Device
from torch_tensorrt._enums import dtype


def to_compiler_settings(keywords: dict[str, Any]) -> dict[str, _C.SettingValue]:
    """Keyword arguments with Python's types (Device, dtypes, modules' classes) as the compiler's.

    None means the default.

    Raises:
        TypeError: no setting has that name; the message has the nearest one.
        ValueError: a value does not fit its setting.
    """
    settings: dict[str, Any] = {}
    for name, value in keywords.items():
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
