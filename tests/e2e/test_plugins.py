"""Plugins of TensorRT in users' converters: the layer that becomes of them, and where it stays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.user_layers import out
from e2e.user_ops import DYNAMIC, ENDS, GATE, X, compiled, ends, gated
from ops.harness import ENGINES
from torch_tensorrt.dynamo.conversion import (
    Plugin,
    dynamo_tensorrt_converter,
    trt,
)

pytestmark = pytest.mark.usefixtures("forgotten_converters")


def gate_plugin(ctx: Any, target: Any, args: Any, kwargs: Any, name: str) -> Any:
    plugin = Plugin("Gate", "1", "mylib", {"slope": args[1], "negate": kwargs["negate"]})
    return ctx.net.add_plugin_v3([args[0]], [], plugin).get_output(0)


def layer_of(convert: Any, function: Any = gated, op: Any = GATE, x: Any = X) -> str:
    """The line of the Network that the plugin becomes, but for its origin."""
    lines = []

    def noting(ctx: Any, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        result = convert(ctx, args)
        for tensor in result if isinstance(result, tuple) else (result,):
            assert tensor.rank >= 0  # writes its layer
        text = ctx.net.writer._builder.text()
        lines.append(next(line for line in text.splitlines() if " = plugin(" in line))
        return result

    dynamo_tensorrt_converter(op, supports_dynamic_shapes=True)(noting)
    compiled(function, x)
    return re.sub(r"  # .*", "", lines[0].strip())


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_without_plugins_leaves_the_op_in_pytorch(engine: str) -> None:
    dynamo_tensorrt_converter(GATE)(gate_plugin)
    fast = compiled(gated, engine=engine)
    (node,) = torch_tensorrt.report(fast).in_pytorch
    whole = {
        "openvino": "openvino: plugin: openvino runs no plugins of TensorRT, such as 'Gate'",
        "reference": "reference: plugin: it runs no plugins of TensorRT, such as 'Gate'",
    }
    assert node["reason"] == whole[engine]
    assert_close(fast(X), gated(X))


def test_the_results_are_those_of_the_op() -> None:
    def convert(ctx: Any, args: Any) -> Any:
        plugin = Plugin("Gate", fields={"slope": args[1]})
        return ctx.net.add_plugin_v3([args[0]], [], plugin).get_output(0)

    assert layer_of(convert, x=DYNAMIC) == (
        '%1: f32[1..3..6, 4] = plugin(%0) {plugin="Gate", version="1", namespace="", '
        'fields=["slope": f32[] data=[1.5]], results=[f32[1..3..6, 4]], shape_inputs=0, '
        "interface=v3}"
    )


def test_an_op_of_two_results() -> None:
    def convert(ctx: Any, args: Any) -> Any:
        layer = ctx.net.add_plugin_v2([args[0]], Plugin("Ends", "3"))
        assert (layer.num_inputs, layer.num_outputs) == (1, 2)
        return layer.get_output(0), layer.get_output(1)

    assert layer_of(convert, ends, ENDS) == (
        '%1: f32[3], %2: i64[3] = plugin(%0) {plugin="Ends", version="3", namespace="", '
        "fields=[], results=[f32[3], i64[3]], shape_inputs=0, interface=v2}"
    )


def test_results_of_given_types() -> None:
    def convert(ctx: Any, args: Any) -> Any:
        x = args[0]
        rows = out(ctx.net.add_gather(out(ctx.net.add_shape(x)), torch.tensor(0), 0))
        rows = out(ctx.net.add_cast(rows, torch.int32))
        double = ctx.net.add_elementwise(
            rows, torch.tensor(2, dtype=torch.int32), trt.ElementWiseOperation.PROD
        ).get_output(0)
        outputs = [x, (torch.float16, (double, 7)), (trt.int32, out(ctx.net.add_shape(x)))]
        plugin = Plugin("Three", outputs=outputs)
        layer = ctx.net.add_plugin_v3([x, torch.ones(2)], [out(ctx.net.add_shape(x))], plugin)
        assert layer.get_output(1).shape == (-1, 7)
        assert layer.get_output(1).dtype == trt.float16
        return layer.get_output(0)

    line = layer_of(convert, x=DYNAMIC)
    results = "f32[1..3..6, 4], f16[2..6..12, 7], i32[1..3..6, 4]"
    assert f"results=[{results}], shape_inputs=1" in line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "i32[] data=[3]"),
        (True, "i32[] data=[1]"),
        (0.5, "f32[] data=[0.5]"),
        ([1, 2], "i32[2] data=[1, 2]"),
        ((0.5, 1), "f32[2] data=[0.5, 1]"),
        ("cubic", '"cubic"'),
        (b"cubic", '"cubic"'),
        (np.int64(1 << 40), "i64[] data=[1099511627776]"),
        (np.array([0.1]), "f64[1] data=[0.1]"),
        (np.array([-1], np.int8), "i8[1] data=[-1]"),
        (torch.tensor([0.5], dtype=torch.bfloat16), "bf16[1] data=[0.5]"),
        (torch.tensor(0.5, dtype=torch.float16), "f16[] data=[0.5]"),
    ],
)
def test_types_of_fields(value: Any, text: str) -> None:
    def convert(ctx: Any, args: Any) -> Any:
        plugin = Plugin("Gate", fields={"field": value})
        return ctx.net.add_plugin_v3([args[0]], [], plugin).get_output(0)

    assert f'fields=["field": {text}]' in layer_of(convert)


def test_upstreams_way_to_make_a_plugin() -> None:
    """As with `import tensorrt as trt`."""

    def convert(ctx: Any, args: Any) -> Any:
        creator = trt.get_plugin_registry().get_creator("Gate", "1", "mylib")
        kind = trt.PluginFieldType
        fields = trt.PluginFieldCollection(
            [
                trt.PluginField("slope", np.array([args[1]], np.float32), kind.FLOAT32),
                trt.PluginField("axis", np.array([1]), kind.INT32),
                trt.PluginField("mode", np.frombuffer(b"fast", np.int8), kind.CHAR),
                trt.PluginField("half", np.array([0x3F00], np.int16), kind.BF16),
            ]
        )
        plugin = creator.create_plugin("gate", fields, trt.TensorRTPhase.BUILD)
        layer = ctx.net.add_plugin_v3([args[0]], [], plugin)
        layer.name = "gate"
        assert layer.plugin is plugin
        return layer.get_output(0)

    assert (
        'plugin="Gate", version="1", namespace="mylib", fields=["slope": f32[1] data=[1.5], '
        '"axis": i32[1] data=[1], "mode": "fast", "half": bf16[1] data=[0.5]]'
    ) in layer_of(convert)
