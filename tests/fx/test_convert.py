"""The third stage: a whole graph as one engine."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fx.models import FP32, MLP, Convolutions, Spectrum, Transformer, seeded
from torch import nn
from torch_tensorrt import Input, fx, logging
from torch_tensorrt.fx import (
    InputTensorSpec,
    LowerPrecision,
    TRTInterpreter,
    TRTInterpreterResult,
    TRTModule,
)

X = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))


def converted(module: nn.Module, inputs: list[Any], **options: Any) -> TRTModule:
    options.setdefault("lower_precision", FP32)
    result = TRTInterpreter(module, inputs).run(**options)
    return TRTModule(result.engine, result.input_names, result.output_names)


@pytest.mark.parametrize("aten", [False, True])
def test_a_traced_graph(aten: bool) -> None:
    model = seeded(MLP)
    traced = fx.trace(model, [X], aten=aten)
    result = TRTInterpreter(traced, InputTensorSpec.from_tensors([X])).run(lower_precision=FP32)
    assert isinstance(result, TRTInterpreterResult)
    assert (result.input_names, len(result.output_names)) == (["x"], 1)
    assert result.serialized_cache is None
    assert result.engine.name()
    got = TRTModule(result.engine, result.input_names, result.output_names)(X)
    torch.testing.assert_close(got, model(X), rtol=1e-4, atol=1e-5)


def test_a_module_that_was_not_traced() -> None:
    model = seeded(Transformer)
    ids = torch.randint(0, 11, (2, 6))
    torch.testing.assert_close(converted(model, [ids])(ids), model(ids), rtol=1e-4, atol=1e-5)


def test_a_range_of_shapes() -> None:
    model = seeded(Convolutions)
    spec = Input(min_shape=(1, 3, 32, 32), opt_shape=(2, 3, 32, 32), max_shape=(4, 3, 64, 64))
    fast = converted(fx.trace(model, [spec]), [spec])
    for shape in ((1, 3, 32, 32), (3, 3, 48, 40), (4, 3, 64, 64)):
        x = torch.randn(shape)
        torch.testing.assert_close(fast(x), model(x), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"\(x\) has shape .*, expected f32"):
        fast(torch.randn(5, 3, 32, 32))


def test_inputs_and_results_in_the_order_of_the_graph() -> None:
    """The engine has an order of its own, no unused input, and each result once."""

    class Mixed(nn.Module):
        def forward(self, a, unused, b):
            y = torch.relu(b) + 1
            z = torch.tanh(a) @ y
            return z, (y, z)

    inputs = [torch.randn(4, 4), torch.randn(2), torch.randn(4, 4)]
    fast = converted(fx.trace(Mixed(), inputs), inputs)
    assert fast.input_names == ["a", "unused", "b"]
    z, (y, _) = Mixed()(*inputs)
    for got, expected in zip(fast(*inputs), (z, y, z), strict=True):
        torch.testing.assert_close(got, expected)


def test_a_batch_that_is_not_explicit() -> None:
    model = seeded(MLP)
    traced = fx.trace(model, [X])
    specs = [
        [X],
        InputTensorSpec.from_tensors([X]),
        [InputTensorSpec((8,), torch.float32, has_batch_dim=False)],
    ]
    for spec in specs:
        interpreter = TRTInterpreter(traced, spec, explicit_batch_dimension=False)
        result = interpreter.run(max_batch_size=5, lower_precision=FP32)
        fast = TRTModule(result.engine, result.input_names, result.output_names)
        for batch in (1, 5):
            x = torch.randn(batch, 8)
            torch.testing.assert_close(fast(x), model(x), rtol=1e-4, atol=1e-5)
        with pytest.raises(ValueError, match="expected"):
            fast(torch.randn(6, 8))


def test_a_spec_without_a_batch_needs_a_batch_that_is_not_explicit() -> None:
    spec = InputTensorSpec((8,), torch.float32, has_batch_dim=False)
    with pytest.raises(ValueError, match=r"input_specs\[0\] has has_batch_dim=False"):
        TRTInterpreter(fx.trace(seeded(MLP), [X]), [spec])


def test_a_batch_that_is_larger_than_the_largest() -> None:
    interpreter = TRTInterpreter(fx.trace(seeded(MLP), [X]), [X], explicit_batch_dimension=False)
    with pytest.raises(ValueError, match="max_batch_size is 2, but an input has a batch of 3"):
        interpreter.run(max_batch_size=2)


def test_what_no_engine_takes_is_named_with_its_place() -> None:
    x = torch.randn(3, 4)
    with pytest.raises(NotImplementedError, match=r"(?s)aten::_fft_r2c at models\.py:\d+"):
        converted(fx.trace(seeded(Spectrum), [x]), [x])


def test_a_result_that_is_an_input() -> None:
    class Both(nn.Module):
        def forward(self, x):
            return torch.relu(x), x

    with pytest.raises(NotImplementedError, match="returns x, which is no result of the engine"):
        converted(fx.trace(Both(), [X]), [X])


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"num_thread\b.*num_threads"):
        converted(fx.trace(seeded(MLP), [X]), [X], num_thread=1)


@pytest.mark.parametrize("precision", [LowerPrecision.FP16, LowerPrecision.BF16])
def test_lower_precision_computes_in_it(precision: LowerPrecision) -> None:
    model = seeded(MLP)
    fast = converted(fx.trace(model, [X]), [X], lower_precision=precision)
    name = {LowerPrecision.FP16: "f16", LowerPrecision.BF16: "bf16"}[precision]
    assert f" {name}[" in fast.get_layer_info()
    assert fast(X).dtype is torch.float32
    torch.testing.assert_close(fast(X), model(X), rtol=3e-2, atol=2e-2)
    assert f" {name}[" not in converted(fx.trace(model, [X]), [X]).get_layer_info()


def test_float32_results_of_a_half_model() -> None:
    model = seeded(MLP).to(torch.bfloat16)
    x = X.to(torch.bfloat16)
    traced = fx.trace(model, [x])
    assert converted(traced, [x])(x).dtype is torch.bfloat16
    forced = converted(traced, [x], force_fp32_output=True)
    assert forced(x).dtype is torch.float32
    torch.testing.assert_close(forced(x), model(x).float(), rtol=3e-2, atol=2e-2)


def test_options_without_effect_are_accepted() -> None:
    converted(
        fx.trace(seeded(MLP), [X]),
        [X],
        max_workspace_size=1 << 20,
        sparse_weights=True,
        disable_tf32=True,
        strict_type_constraints=True,
        algorithm_selector=object(),
        timing_cache=b"",
        profiling_verbosity=1,
        tactic_sources=0,
        max_aux_streams=1,
        version_compatible=True,
        optimization_level=3,
    )


def test_messages_while_converting(capfd: pytest.CaptureFixture[str]) -> None:
    before = logging._get()
    TRTInterpreter(fx.trace(seeded(MLP), [X]), [X], logger_level=20).run()
    assert "1 engine" in capfd.readouterr().err
    assert logging._get() == before
