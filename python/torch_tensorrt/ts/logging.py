"""The log's level, prefix and colour, by function."""

from torch_tensorrt._C import LogLevel as Level
from torch_tensorrt._C import (
    get_is_colored_output_on,
    get_logging_prefix,
    get_reportable_log_level,
    log,
    set_is_colored_output_on,
    set_logging_prefix,
    set_reportable_log_level,
)

__all__ = [
    "Level",
    "get_is_colored_output_on",
    "get_logging_prefix",
    "get_reportable_log_level",
    "log",
    "set_is_colored_output_on",
    "set_logging_prefix",
    "set_reportable_log_level",
]
