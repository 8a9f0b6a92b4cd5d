"""Upstream's functions that make plugins of Python code, which are refused with what to do."""

from __future__ import annotations

from typing import Any, NoReturn


def custom_op(op_name: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: it says what to do instead."""
    del op_name, args, kwargs
    _refuse("custom_op")


def generate_plugin(plugin_name: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: it says what to do instead."""
    del plugin_name, args, kwargs
    _refuse("generate_plugin")


def generate_plugin_converter(plugin_id: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: it says what to do instead."""
    del plugin_id, args, kwargs
    _refuse("generate_plugin_converter")


def _refuse(function: str) -> NoReturn:
    raise NotImplementedError(
        f"plugins.{function} makes a plugin that calls Python when the engine is built and runs, "
        "which a stored network cannot; register one with TensorRT, and add it in a converter: "
        "ctx.net.add_plugin_v3([x], [], Plugin(name, version, namespace, fields))"
    )
