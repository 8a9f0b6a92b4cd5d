"""Compile settings by name, for converters, passes and whoever asks a compiled module."""

from __future__ import annotations

from typing import Any

from torch_tensorrt import _C


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
