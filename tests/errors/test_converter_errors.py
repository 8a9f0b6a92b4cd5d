"""What the errors of users' converters say, and where."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.user_layers import out
from e2e.user_ops import GATE, X, compiled, gate_converter, gated
from torch_tensorrt.dynamo.conversion import (
    DYNAMO_CONVERTERS,
    ConversionContext,
    dynamo_tensorrt_converter,
    trt,
)

pytestmark = pytest.mark.usefixtures("forgotten_converters")


def refusal(body: Any, function: Any = gated) -> str:
    """The reason in the report where this converter of `gate` is used."""

    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        return body(ctx.net, args[0])

    with DYNAMO_CONVERTERS.temporary():
        dynamo_tensorrt_converter(GATE)(convert)
        fast = compiled(function)
    assert_close(fast(X), function(X))
    (node,) = torch_tensorrt.report(fast).in_pytorch
    return str(node["reason"])


def _boom(net: Any, x: Any) -> Any:
    raise KeyError("no such table")


LAYER, SUM = trt.ActivationType.RELU, trt.ElementWiseOperation.SUM
CEIL = trt.ResizeRoundMode.CEIL


def _late(net: Any, x: Any) -> Any:
    layer = net.add_activation(x, LAYER)
    assert layer.get_output(0).shape == (3, 4)
    layer.alpha = 2.0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_boom, r"KeyError: 'no such table' \(test_converter_errors\.py:\d+\)"),
        (
            lambda n, x: n.add_activatoin(x, LAYER),
            "ctx.net has no 'add_activatoin'; nearest: add_act",
        ),
        (lambda n, x: n.add_loop(), r"ctx\.net\.add_loop has no layer here; write control flow in"),
        (lambda n, x: n.add_plugin(x), "has no layer here; register the plugin with TensorRT, and"),
        (lambda n, x: out(n.add_activation(x, LAYER), alfa=1), "has no 'alfa'; nearest: alpha"),
        (
            lambda n, x: out(n.add_activation(x, LAYER), alpha=x),
            "alpha: ITensor.* is a tensor, exp",
        ),
        (
            lambda n, x: n.add_activation(x, "relu"),
            "'relu' is no ActivationType, expected one of R",
        ),
        (lambda n, x: n.add_activation(x, LAYER).get_output(1), "has no output 1, expected 0..0"),
        (
            lambda n, x: n.add_shuffle(x).set_input(4, x),
            r"no input 4, .* 0 \(input\), 1 \(reshape_d",
        ),
        (_late, "alpha is set after its output was used, expected before"),
        (lambda n, x: None, "TypeError: it returned None, expected a tensor of ctx.net"),
        (lambda n, x: "x", "its result is a str, expected a tensor of ctx.net, or a constant"),
        (lambda n, x: x.foo, "a tensor has no 'foo', expected one of name, shape, dtype, rank"),
        (lambda n, x: out(n.add_softmax(x), axes=0b11), "axes is 0b11, expected one bit"),
        (
            lambda n, x: out(n.add_elementwise(x, torch.ones(4), SUM)),
            r"ElementWiseLayer .* \(test_converter_errors",
        ),
        (lambda n, x: n.add_slice(x, (0, x), (1, 1), (1, 1)), "set_input"),
        (lambda n, x: out(n.add_resize(x), nearest_rounding=CEIL, scales=[1, 2]), "is CEIL, exp"),
        (lambda n, x: out(n.add_constant((2,), torch.ones(3))), "has 3 elements, expected 2 for"),
        (lambda n, x: out(n.add_cast(x, torch.float64)), "torch.float64 is no DataType, expected"),
        (
            lambda n, x: out(n.add_unsqueeze(x, n.add_shape(x).get_output(0))),
            "axes is computed at r",
        ),
    ],
)
def test_what_a_converter_raises_is_the_reason(body: Any, message: str) -> None:
    reason = refusal(body)
    assert re.search(message, reason), reason
    assert reason.startswith("[conversion] user_converters::gate at user_ops.py:")


def test_full_compilation_fails_with_it() -> None:
    dynamo_tensorrt_converter(GATE)(lambda ctx, target, args, kwargs, name: 1 / 0)
    message = r"(?s)user_converters::gate at .*ZeroDivisionError: division by zero"
    with pytest.raises(NotImplementedError, match=message):
        compiled(gated, require_full_compilation=True)


def test_a_validators_error_ends_the_compilation() -> None:
    dynamo_tensorrt_converter(GATE, capability_validator=lambda node, settings: node.foo)(
        gate_converter
    )
    message = "user_converters::gate at .*: its capability_validator raised .*AttributeError.*foo"
    with pytest.raises(RuntimeError, match=message):
        compiled(gated)


@pytest.mark.parametrize(
    ("key", "options", "kind", "message"),
    [
        (
            torch.ops.aten.add,
            {},
            ValueError,
            r"aten\.add has the overloads Tensor, .*, expected one",
        ),
        (torch.relu, {}, TypeError, "expected an operator such as torch.ops.aten.relu.default"),
        (GATE, {"requires_output_allocator": True}, NotImplementedError, "expected False"),
        (GATE, {"requires_native_multidevice": True}, NotImplementedError, "expected False"),
    ],
)
def test_keys_and_options(key: Any, options: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        dynamo_tensorrt_converter(key, **options)


def test_a_packet_with_one_overload_is_a_key() -> None:
    dynamo_tensorrt_converter(torch.ops.user_converters.gate)(gate_converter)
    assert [s.target for s in DYNAMO_CONVERTERS.list()] == [GATE]
    assert torch.ops.user_converters.gate in DYNAMO_CONVERTERS
