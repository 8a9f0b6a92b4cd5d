"""What the network of users' converters says of arguments and of layers without geometry."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from e2e.user_layers import out
from errors.user_layer_reasons import whole_reason
from torch_tensorrt.dynamo.conversion import trt

E, A, R = trt.ElementWiseOperation, trt.ActivationType, trt.ReduceOperation
OPERATIONS = "SUM, PROD, MAX, MIN, SUB, DIV, POW, FLOOR_DIV, AND, OR, XOR, EQUAL, GREATER, LESS"
HERE = "(test_network_api_messages.py:N)"


def _integers(net: Any, x: Any) -> Any:
    return out(net.add_cast(x, torch.int32))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            lambda n, x: setattr(n.add_shuffle(x), "reshape_dims", (1.5, 8)),
            f"TypeError: ShuffleLayer '0': reshape_dims: 1.5 is no int {HERE}",
        ),
        (
            lambda n, x: n.add_constant((x,), torch.ones(1)),
            "TypeError: ConstantLayer: shape: ITensor('%0') is no int; sizes known only at run "
            f"time come through set_input {HERE}",
        ),
        (
            lambda n, x: n.add_topk(x, trt.TopKOperation.MAX, 1.5, 0b10),
            f"TypeError: TopKLayer: k: 1.5 is no int {HERE}",
        ),
        (
            lambda n, x: n.add_elementwise(x, x, "sum"),
            "TypeError: ElementWiseLayer: op: 'sum' is no ElementWiseOperation, expected one of "
            f"{OPERATIONS} {HERE}",
        ),
        (
            lambda n, x: n.add_constant((1,), "three"),
            "TypeError: ConstantLayer: weights: 'three' is a str, expected an array, a tensor or "
            f"numbers {HERE}",
        ),
        (
            lambda n, x: out(n.add_constant((2, 2), torch.ones(3))),
            f"ValueError: ConstantLayer '0' {HERE}: weights has 3 elements, expected 4 for shape "
            "(2, 2)",
        ),
        (
            lambda n, x: n.add_activation(x, A.RELU).set_input(1, x),
            "IndexError: ActivationLayer '0' has no input 1, expected one of 0 (input) " + HERE,
        ),
        (
            lambda n, x: n.add_gather(x, torch.tensor([0]), 0).set_input(2, x),
            "IndexError: GatherLayer '1' has no input 2, expected one of 0 (input), 1 (indices) "
            + HERE,
        ),
        (
            lambda n, x: n.add_activation(x, A.RELU).get_output(-1),
            f"IndexError: ActivationLayer '0' has no output -1, expected 0..0 {HERE}",
        ),
        (
            lambda n, x: n.add_nms(x, x, 3).get_output(2),
            f"IndexError: NMSLayer '1' has no output 2, expected 0..1 {HERE}",
        ),
        (
            lambda n, x: out(n.add_gather(x, None, 0)),
            f"ValueError: GatherLayer '0' {HERE}: indices is missing, expected a tensor",
        ),
        (
            lambda n, x: n.add_elementwise(_integers(n, x), 1.5, E.SUM),
            f"ValueError: 1.5 is paired with a tensor of INT32, expected an int {HERE}",
        ),
        (
            lambda n, x: out(n.add_one_hot(_integers(n, x), torch.ones(2), torch.tensor(3.5), -1)),
            f"ValueError: OneHotLayer '3' {HERE}: depth is 3.5, expected an int",
        ),
        (
            lambda n, x: n.writer.one("softmax", x._value, axis="last"),
            "ValueError: [conversion] softmax: attribute 'axis' is 'last', expected an int " + HERE,
        ),
        (
            lambda n, x: out(n.add_reduce(x, R.SUM, 0, True)),
            f"ValueError: ReduceLayer '0' {HERE}: axes is 0b0, expected a bit for at least one of "
            "2 axes",
        ),
        (
            lambda n, x: out(n.add_reduce(x, R.SUM, 0b100, True)),
            f"ValueError: ReduceLayer '0' {HERE}: axes is 0b100, expected a bit for at least one "
            "of 2 axes",
        ),
        (
            lambda n, x: out(n.add_fill((2, 3), trt.FillOperation.LINSPACE)),
            f"NotImplementedError: FillLayer '0' {HERE}: shape has 2 axes, expected one for "
            "LINSPACE",
        ),
        (
            lambda n, x: out(n.add_shuffle(x), reshape_dims=(3, 4, 0)),
            f"ValueError: ShuffleLayer '0' {HERE}: reshape_dims is (3, 4, 0) with 0 at 2, expected "
            "a 0 only where the input has an axis; its shape is (3, 4)",
        ),
        (
            lambda n, x: out(n.add_quantize(x, 0.1), inputs={2: torch.tensor(3)}),
            f"NotImplementedError: QuantizeLayer '1' {HERE}: zero_point is not 0, expected "
            "symmetric quantization",
        ),
        (
            lambda n, x: out(n.add_nms(x, x, 3)),
            f"NotImplementedError: NMSLayer '1' {HERE}: boxes has 2 axes, expected 3: batch, box, "
            "corners",
        ),
    ],
)
def test_the_reason_says_it(body: Any, message: str) -> None:
    assert whole_reason(body) == "its converter raised " + message
