"""What is said of plugins that a converter describes wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from e2e.user_layers import out
from e2e.user_ops import DYNAMIC
from errors.user_layer_reasons import whole_reason
from torch_tensorrt.dynamo.conversion import Plugin, plugins, trt

HERE = "(test_plugin_messages.py:N)"
RAISED = "its converter raised "


def reason(plugin: Any, inputs: Any = None, shapes: Any = (), x: Any = DYNAMIC) -> str:
    def convert(net: Any, x: Any) -> Any:
        made = plugin(net, x) if callable(plugin) else plugin
        given = [x] if inputs is None else inputs
        return out(net.add_plugin_v3(given, [x] if shapes == "x" else shapes, made))

    text = whole_reason(convert, x)
    assert text.startswith(RAISED)
    return text.removeprefix(RAISED)


def test_a_live_plugin() -> None:
    assert reason(object()) == (
        "TypeError: plugin is a object, expected a description, which a file can hold: "
        f"torch_tensorrt.dynamo.conversion.Plugin(name, version, namespace, fields) {HERE}"
    )


def with_outputs(*outputs: Any) -> Any:
    return lambda net, x: Plugin("Gate", outputs=[o(net, x) if callable(o) else o for o in outputs])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            (torch.float32, (-1, 4)),
            "an output is (torch.float32, (-1, 4)), expected a tensor, or a dtype and a shape: its "
            "size -1 is no number of 0 or more; a dynamic one is a tensor of rank 0, which "
            "add_shape and add_gather give",
        ),
        (
            lambda net, x: (torch.float32, x),
            "an output is (torch.float32, ITensor('%0')), expected a tensor, or a dtype and a "
            "shape: ITensor('%0') is not computed from sizes",
        ),
        (
            torch.float32,
            "an output is torch.float32, expected a tensor, or a dtype and a shape: cannot unpack "
            "non-iterable torch.dtype object",
        ),
    ],
)
def test_outputs(output: Any, message: str) -> None:
    assert reason(with_outputs(output)) == f"ValueError: PluginV3Layer '0' {HERE}: {message}"


@pytest.mark.parametrize(
    ("plugin", "shapes", "message"),
    [
        (Plugin(""), (), "C1: the plugin is '' of version '1', expected both names"),
        (
            Plugin("Gate", fields={"": 1}),
            (),
            "C2: field '' is named twice or not at all, expected unique names",
        ),
        (Plugin("Gate"), "x", "C3: xs[1] is f32, expected i32 or i64"),
    ],
)
def test_the_network_checks(plugin: Plugin, shapes: Any, message: str) -> None:
    expected = f"ValueError: PluginV3Layer '0' {HERE}: plugin {message} (at user_ops.py:N)"
    assert reason(plugin, shapes=shapes) == expected


def test_no_output() -> None:
    assert reason(Plugin("Gate", outputs=[])) == (
        "IndexError: PluginV3Layer '0' has no output 0, expected none: it has no outputs "
        "(user_layers.py:N)"
    )


def test_a_missing_input() -> None:
    assert reason(Plugin("Gate"), inputs=[torch.ones(2), None]) == (
        f"ValueError: PluginV3Layer '1' {HERE}: input 1 is missing, expected a tensor"
    )


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (
            1 << 31,
            ValueError,
            "field 'a' is 2147483648, expected what fits INT32; numpy.int64 makes an INT64",
        ),
        (
            object,
            TypeError,
            "field 'a' is <class 'object'>, expected numbers, a str, bytes, an array or a tensor",
        ),
        (
            np.array([True]),
            TypeError,
            "field 'a' is torch.bool, expected one of FLOAT16, FLOAT32, FLOAT64, BF16, INT8, "
            "INT32, INT64, CHAR",
        ),
    ],
)
def test_fields(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        Plugin("Gate", fields={"a": value})
    assert str(raised.value) == message


def test_types_of_fields_that_have_no_form() -> None:
    with pytest.raises(
        TypeError, match="'DIMS' is no PluginFieldType, expected one of FLOAT16, FL"
    ):
        trt.PluginField("a", None, "DIMS")


@pytest.mark.parametrize("name", ["custom_op", "generate_plugin", "generate_plugin_converter"])
def test_plugins_of_python_code(name: str) -> None:
    with pytest.raises(NotImplementedError) as raised:
        getattr(plugins, name)("mylib::gate", supports_dynamic_shapes=True)
    assert str(raised.value) == (
        f"plugins.{name} makes a plugin that calls Python when the engine is built and runs, which "
        "a stored network cannot; register one with TensorRT, and add it in a converter: "
        "ctx.net.add_plugin_v3([x], [], Plugin(name, version, namespace, fields))"
    )
