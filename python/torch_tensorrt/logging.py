"""What the compiler and the runtime print to stderr.

>>> import torch_tensorrt
>>> with torch_tensorrt.logging.info():
...     pass  # a compilation in here says in one line what became of the model
"""

from __future__ import annotations

import logging as _logging
from typing import Any

from torch_tensorrt._C import LogLevel as Level
from torch_tensorrt._C import get_reportable_log_level as _get
from torch_tensorrt._C import set_reportable_log_level as _set

__all__ = ["Level", "debug", "errors", "graphs", "info", "internal_errors", "set_level", "warnings"]

GRAPHS = 5
"""Level of the most detailed messages, below logging.DEBUG."""


def set_level(level: int | Level, logger: _logging.Logger | None = None) -> None:
    """Print messages of this level and graver ones.

    Args:
        level: a level of Python's logging (logging.INFO, ...), `GRAPHS`, or a `Level`.
        logger: a Python logger that gets the same level.
    """
    if logger is not None:
        logger.setLevel(_python_level(level))
    _set(_level(level))


def _level(level: int | Level) -> Level:
    if isinstance(level, Level):
        return level
    for python_level, ours in (
        (_logging.CRITICAL, Level.InternalError),
        (_logging.ERROR, Level.Error),
        (_logging.WARNING, Level.Warning),
        (_logging.INFO, Level.Info),
        (_logging.DEBUG, Level.Debug),
    ):
        if level >= python_level:
            return ours
    return Level.Graph


def _python_level(level: int | Level) -> int:
    if not isinstance(level, Level):
        return level
    return {
        Level.InternalError: _logging.CRITICAL,
        Level.Error: _logging.ERROR,
        Level.Warning: _logging.WARNING,
        Level.Info: _logging.INFO,
        Level.Debug: _logging.DEBUG,
        Level.Graph: GRAPHS,
    }[level]


class _LevelContext:
    level: Level

    def __enter__(self) -> None:
        self._before = _get()
        _set(self.level)

    def __exit__(self, *_: Any) -> None:
        _set(self._before)


class internal_errors(_LevelContext):  # noqa: N801  used as a function
    """Print only defects of Torch-TensorRT inside the block."""

    level = Level.InternalError


class errors(_LevelContext):  # noqa: N801  used as a function
    """Print errors inside the block."""

    level = Level.Error


class warnings(_LevelContext):  # noqa: N801  used as a function
    """Print warnings and errors inside the block."""

    level = Level.Warning


class info(_LevelContext):  # noqa: N801  used as a function
    """Print what was done, warnings and errors inside the block."""

    level = Level.Info


class debug(_LevelContext):  # noqa: N801  used as a function
    """Print each step inside the block."""

    level = Level.Debug


class graphs(_LevelContext):  # noqa: N801  used as a function
    """Print each step and the graphs between them inside the block."""

    level = Level.Graph
