"""Converters that users write in Python: which one is used, what it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine, ops_in_pytorch
from e2e.user_ops import DYNAMIC, ENDS, GATE, X, compiled, ends, gate, gate_converter, gated
from ops.harness import ENGINES
from torch import nn
from torch_tensorrt.dynamo.conversion import (
    DYNAMO_CONVERTERS,
    ConversionContext,
    ConverterPriority,
    dynamo_tensorrt_converter,
    impl,
    trt,
)
from torch_tensorrt.dynamo.conversion.converter_utils import (
    cast_trt_tensor,
    enforce_tensor_types,
    get_axes_for_reduce_op,
    get_positive_dim,
    get_trt_tensor,
    set_layer_name,
)

HIGH = ConverterPriority.HIGH


RELU = torch.ops.aten.relu.default
LEFT = {"user_converters::gate": "no_converter"}


pytestmark = pytest.mark.usefixtures("forgotten_converters")


def constant_converter(value: float) -> Any:
    """A wrong converter whose results tell that it was used."""

    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        zero = ctx.net.add_elementwise(args[0], 0.0, trt.ElementWiseOperation.PROD)
        return ctx.net.add_elementwise(
            zero.get_output(0), value, trt.ElementWiseOperation.SUM
        ).get_output(0)

    return convert


# ---- which converter ----


@pytest.mark.parametrize("engine", ENGINES)
def test_a_custom_op_runs_in_an_engine(engine: str) -> None:
    assert ops_in_pytorch(compiled(gated, engine=engine)) == {
        "user_converters::gate": "no_converter"
    }
    dynamo_tensorrt_converter(GATE)(gate_converter)
    fast = compiled(gated, engine=engine)
    assert_one_engine(fast, engine)
    assert_close(fast(X), gated(X))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_high_one_goes_before_the_built_in_one(engine: str) -> None:
    dynamo_tensorrt_converter(RELU, priority=HIGH)(constant_converter(7.0))
    fast = compiled(torch.relu, engine=engine)
    assert_one_engine(fast, engine)
    assert_close(fast(X), torch.full_like(X, 7))


def test_a_standard_one_does_not() -> None:
    dynamo_tensorrt_converter(RELU)(constant_converter(7.0))
    assert_close(compiled(torch.relu)(X), torch.relu(X))


def test_the_latest_high_one_goes_first() -> None:
    for value in (7.0, 8.0):
        dynamo_tensorrt_converter(RELU, priority=HIGH)(constant_converter(value))
    assert [s.priority for s in DYNAMO_CONVERTERS.lookup(RELU)] == [HIGH, HIGH]
    assert_close(compiled(torch.relu)(X), torch.full_like(X, 8))


def test_a_disabled_one_is_not_registered() -> None:
    assert dynamo_tensorrt_converter(GATE, enabled=False)(gate_converter) is gate_converter
    assert DYNAMO_CONVERTERS.lookup(GATE) == []


def test_removed_and_temporary_ones_are_forgotten() -> None:
    with DYNAMO_CONVERTERS.temporary():
        dynamo_tensorrt_converter(GATE)(gate_converter)
        assert GATE in DYNAMO_CONVERTERS
    assert GATE not in DYNAMO_CONVERTERS
    dynamo_tensorrt_converter(GATE)(gate_converter)
    DYNAMO_CONVERTERS.remove(gate_converter)
    assert ops_in_pytorch(compiled(gated)) == LEFT
    with pytest.raises(ValueError, match=r"gate_converter.* is no registered converter"):
        DYNAMO_CONVERTERS.remove(gate_converter)


def test_a_validator_leaves_nodes_to_the_next_converter() -> None:
    def steep(node: torch.fx.Node, settings: Any) -> bool:
        return node.args[1] > 1.5

    def both(x: torch.Tensor) -> torch.Tensor:
        return gate(x, 1.0) + gate(x, 2.0)

    dynamo_tensorrt_converter(GATE, capability_validator=steep)(gate_converter)
    fast = compiled(both)
    assert ops_in_pytorch(fast) == LEFT
    assert len(torch_tensorrt.report(fast).in_pytorch) == 1
    assert_close(fast(X), both(X))
    dynamo_tensorrt_converter(RELU, priority=HIGH, capability_validator=lambda *_: False)(
        constant_converter(7.0)
    )
    assert_close(compiled(torch.relu)(X), torch.relu(X))


def test_static_ones_take_no_dynamic_nodes() -> None:
    dynamo_tensorrt_converter(RELU, priority=HIGH)(constant_converter(7.0))
    dynamo_tensorrt_converter(GATE)(gate_converter)
    fast = compiled(gated, DYNAMIC)
    assert ops_in_pytorch(fast) == LEFT
    assert_close(fast(X), gated(X))


@pytest.mark.parametrize("engine", ENGINES)
def test_dynamic_ones_do(engine: str) -> None:
    dynamo_tensorrt_converter(GATE, supports_dynamic_shapes=True)(gate_converter)
    fast = compiled(gated, DYNAMIC, engine)
    assert_one_engine(fast, engine)
    for x in (X, X[:1], X.repeat(2, 1)):
        assert_close(fast(x), gated(x))


def test_all_frontends_use_them() -> None:
    dynamo_tensorrt_converter(RELU, priority=HIGH, supports_dynamic_shapes=True)(
        constant_converter(7.0)
    )
    model = nn.ReLU().eval()
    settings = {"engine": "reference", "min_block_size": 1}
    traced = torch_tensorrt.compile(torch.jit.trace(model, X), ir="ts", inputs=[X], **settings)
    assert_close(traced(X), torch.full_like(X, 7))
    torch._dynamo.reset()
    assert_close(
        torch.compile(model, backend="tensorrt", options=settings)(X), torch.full_like(X, 7)
    )


def test_a_number_in_a_tensors_place_goes_with_the_overload() -> None:
    dynamo_tensorrt_converter(torch.ops.aten.mul.Tensor, priority=HIGH)(constant_converter(7.0))
    assert_close(compiled(lambda x: x * 2.5)(X), torch.full_like(X, 7))
    dynamo_tensorrt_converter(torch.ops.aten.mul.Scalar, priority=HIGH)(constant_converter(8.0))
    assert_close(compiled(lambda x: x * 2.5)(X), torch.full_like(X, 8))


def test_the_page_names_every_method() -> None:
    page = (Path(__file__).parents[2] / "docs" / "converters.md").read_text()
    methods = {m for m in dir(trt.INetworkDefinition) if m.startswith("add_")}
    refused = {
        m for m in methods if "NotImplementedError" in getattr(trt.INetworkDefinition, m).__doc__
    }
    assert [m for m in sorted(methods - refused) if f"`{m}`" not in page] == []


# ---- what converters and validators see ----


def test_arguments_by_position_and_name() -> None:
    seen: dict[str, Any] = {}
    weight = torch.ones(2, 4)

    @dynamo_tensorrt_converter(torch.ops.aten.linear.default, priority=HIGH)
    def linear(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        seen.update(ctx=ctx, target=target, args=args, kwargs=kwargs, name=name)
        seen["shape"], seen["dtype"] = args[0].shape, args[0].dtype
        product = (args[0], trt.MatrixOperation.NONE, args[1], trt.MatrixOperation.TRANSPOSE)
        return ctx.net.add_matrix_multiply(*product).get_output(0)

    fast = compiled(lambda x: nn.functional.linear(x, weight), optimization_level=3)
    assert_close(fast(X), X @ weight.mT)
    assert seen["target"] is torch.ops.aten.linear.default
    assert isinstance(seen["args"][0], trt.ITensor)
    assert torch.equal(seen["args"][1], weight)
    assert seen["args"][2] is None
    assert (seen["shape"], seen["dtype"]) == ((3, 4), trt.DataType.FLOAT)
    assert "aten::linear at user_ops.py:" in seen["name"]
    assert seen["ctx"].current_node.target is seen["target"]
    with pytest.raises(
        RuntimeError, match="the converter has returned and its network is finished"
    ):
        seen["args"][0].shape  # noqa: B018


def test_dtypes_arrive_as_pytorchs_and_defaults_are_filled_in() -> None:
    @dynamo_tensorrt_converter(torch.ops.aten._to_copy.default, priority=HIGH)
    def cast(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        assert kwargs["non_blocking"] is False
        assert kwargs["dtype"] is torch.float16
        return ctx.net.add_cast(args[0], kwargs["dtype"]).get_output(0)

    fast = compiled(lambda x: x.half())
    assert_one_engine(fast, "reference")
    assert_close(fast(X), X.half())


def test_a_validator_sees_a_torch_fx_node() -> None:
    nodes: list[torch.fx.Node] = []

    def validator(node: torch.fx.Node, settings: Any) -> bool:
        nodes.append(node)
        assert settings.require_full_compilation in (False, True)
        return True

    dynamo_tensorrt_converter(GATE, capability_validator=validator, supports_dynamic_shapes=True)(
        gate_converter
    )
    compiled(gated, DYNAMIC)
    node = nodes[0]
    assert (node.target, node.args[1], node.kwargs) == (GATE, 1.5, {"negate": False})
    assert isinstance(node.args[0], torch.fx.Node)
    for of in (node, node.args[0]):
        assert of.meta["shape"] == (-1, 4)
        assert (of.meta["val"].shape, of.meta["val"].dtype) == ((3, 4), torch.float32)
    assert node.meta["location"].startswith("user_ops.py:")


def test_settings_reach_validators_and_converters() -> None:
    seen = []

    def validator(node: torch.fx.Node, settings: Any) -> bool:
        seen.append(settings.optimization_level)
        return True

    @dynamo_tensorrt_converter(GATE, capability_validator=validator)
    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        seen.append(ctx.compilation_settings.optimization_level)
        return gate_converter(ctx, target, args, kwargs, name)

    assert_one_engine(compiled(gated, optimization_level=3), "reference")
    assert set(seen) == {3}


def test_an_op_with_only_a_users_converter_is_not_taken_apart() -> None:
    trace = torch.ops.aten.trace.default
    assert not DYNAMO_CONVERTERS.has_builtin(trace)

    @dynamo_tensorrt_converter(trace)
    def total(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        return ctx.net.add_reduce(args[0], trt.ReduceOperation.SUM, 0b11, False).get_output(0)

    assert_close(compiled(torch.trace)(X), X.sum())


def test_several_results_and_indices() -> None:
    @dynamo_tensorrt_converter(ENDS, supports_dynamic_shapes=True)
    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        least = ctx.net.add_reduce(args[0], trt.ReduceOperation.MIN, 0b10, False).get_output(0)
        top = ctx.net.add_topk(args[0], trt.TopKOperation.MAX, 1, 0b10)
        assert top.get_output(1).dtype == trt.int32
        index = ctx.net.add_squeeze(top.get_output(1), np.array([1])).get_output(0)
        return least, index

    fast = compiled(lambda x: ends(x), DYNAMIC, "openvino")
    assert_one_engine(fast, "openvino")
    assert_close(list(fast(X)), list(ends(X)))


def test_real_tensorrt_enums_are_taken_by_name() -> None:
    theirs = type("ActivationType", (), {"__module__": "tensorrt_bindings.tensorrt"})()
    theirs.name = "TANH"
    assert theirs == trt.ActivationType.TANH
    assert theirs != trt.ActivationType.RELU

    @dynamo_tensorrt_converter(RELU, priority=HIGH)
    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        return ctx.net.add_activation(args[0], theirs).get_output(0)

    assert_close(compiled(torch.relu)(X), torch.tanh(X))


def test_helpers_and_building_blocks_of_upstream() -> None:
    """GELU by hand, as upstream's tutorial on converters has it, and its helpers."""

    def wants_tanh(node: torch.fx.Node, settings: Any) -> bool:
        return node.kwargs.get("approximate") == "tanh"

    @dynamo_tensorrt_converter(
        torch.ops.aten.gelu.default,
        capability_validator=wants_tanh,
        priority=HIGH,
        supports_dynamic_shapes=True,
    )
    @enforce_tensor_types({0: (trt.ITensor,)})
    def gelu(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        def mul(a: Any, b: Any) -> Any:
            return impl.elementwise.mul(
                ctx, target, name=name, source_ir=None, lhs_val=a, rhs_val=b
            )

        x = cast_trt_tensor(ctx, args[0], torch.float32, f"{name}_cast")
        one = get_trt_tensor(ctx, 1.0, f"{name}_one")
        cube = impl.elementwise.pow(ctx, target, None, name, x, 3)
        inner = impl.elementwise.add(ctx, target, None, name, x, mul(cube, 0.044715))
        tanh = impl.activation.tanh(ctx, target, None, name, mul(inner, 0.7978845608))
        weight = impl.elementwise.add(ctx, target, None, name, tanh, one)
        layer = ctx.net.add_identity(mul(mul(x, 0.5), weight))
        set_layer_name(layer, target, name)
        return layer.get_output(0)

    def model(x: torch.Tensor) -> torch.Tensor:
        return nn.functional.gelu(x, approximate="tanh") + nn.functional.gelu(x)

    fast = compiled(model, DYNAMIC, "openvino")
    assert_one_engine(fast, "openvino")
    assert_close(fast(X), model(X))
    network = torch_tensorrt.report(fast).engines[0]["network"]
    assert (network.count("tanh"), network.count("gelu_erf")) == (1, 1)
    assert get_axes_for_reduce_op(get_positive_dim((0, -1), 3)) == 0b101


def test_integers_compare_and_divide_as_in_pytorch() -> None:
    @dynamo_tensorrt_converter(RELU, priority=HIGH)
    def convert(ctx: ConversionContext, target: Any, args: Any, kwargs: Any, name: str) -> Any:
        half = impl.elementwise.div(ctx, target, None, name, args[0], 2)
        assert half.dtype == trt.float32
        root = impl.unary.sqrt(ctx, target, None, name, args[0])
        large = impl.elementwise.ge(ctx, target, None, name, half, 1.0)
        other = impl.elementwise.ne(ctx, target, None, name, args[0], np.float32(0))
        both = impl.elementwise.logical_and(ctx, target, None, name, large, other)
        chosen = ctx.net.add_select(both, root, 0.0).get_output(0)
        return cast_trt_tensor(ctx, chosen, torch.int64, name)

    whole = torch.tensor([0, 1, 2, 9])
    assert_close(compiled(torch.relu, whole)(whole), torch.tensor([0, 0, 1, 3]))
