"""What the report says of an op whose converter raised, whole."""

from __future__ import annotations

import re
from typing import Any

import torch
import torch_tensorrt
from e2e.user_ops import GATE, X, compiled, gate
from torch_tensorrt.dynamo.conversion import DYNAMO_CONVERTERS, dynamo_tensorrt_converter


def converted(x: torch.Tensor) -> torch.Tensor:
    """The op that stays in PyTorch, behind one that does not."""
    return gate(torch.relu(x))


def whole_reason(body: Any, x: Any = X, engine: str = "reference") -> str:
    """The reason where `body(ctx.net, tensor)` converts, but for the stage, the op and its line.

    Lines of this program are N.
    """

    def convert(ctx: Any, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        return body(ctx.net, args[0])

    with DYNAMO_CONVERTERS.temporary():
        dynamo_tensorrt_converter(GATE, supports_dynamic_shapes=True)(convert)
        fast = compiled(converted, x, engine)
    example = x.example_tensor("opt_shape") if isinstance(x, torch_tensorrt.Input) else x
    torch.testing.assert_close(fast(example), converted(example))
    (node,) = torch_tensorrt.report(fast).in_pytorch
    reason = re.sub(r"\.py:\d+", ".py:N", str(node["reason"]))
    start = "[conversion] user_converters::gate at user_ops.py:N: "
    assert reason.startswith(start)
    return reason.removeprefix(start)
