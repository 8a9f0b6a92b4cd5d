"""The fourth stage: one engine as a module."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from fx.models import FP32, MLP, seeded
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx import TRTInterpreter, TRTModule

X = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))


class Two(nn.Module):
    """Two arguments that the engine reads in the other order, two results."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.relu(b)
        return torch.tanh(a) @ y, y


A, B = torch.randn(2, 3), torch.randn(3, 3)


def made() -> TRTModule:
    result = TRTInterpreter(fx.trace(Two(), [A, B]), [A, B]).run(lower_precision=FP32)
    return TRTModule(result.engine, result.input_names, result.output_names, 4)


def by_state_dict(module: TRTModule) -> TRTModule:
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    again = TRTModule()
    again.load_state_dict(torch.load(file))
    return again


def by_pickle(module: TRTModule) -> TRTModule:
    again: TRTModule = pickle.loads(pickle.dumps(module))
    return again


@pytest.mark.parametrize("way", [by_state_dict, by_pickle, copy.deepcopy])
def test_copies_compute_the_same(way: Callable[[TRTModule], TRTModule]) -> None:
    module = made()
    again = way(module)
    assert type(again) is TRTModule
    assert (again.input_names, again.output_names) == (module.input_names, module.output_names)
    assert (again.name, again.cuda_graph_batch_size) == (module.name, 4)
    for got, expected in zip(again(A, B), Two()(A, B), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_names_left_out_mean_the_order_of_the_engine() -> None:
    module = made()
    plain = TRTModule(module.engine)
    arguments = dict(zip(module.input_names, (A, B), strict=True))
    got = plain(*(arguments[name] for name in plain.input_names))
    assert {tuple(t.shape) for t in got} == {(2, 3), (3, 3)}


def test_bytes_in_the_place_of_an_engine() -> None:
    module = made()
    data = bytes(module.engine.serialized_engine_tensor().numpy())
    again = TRTModule(data, module.input_names, module.output_names)
    torch.testing.assert_close(again(A, B), module(A, B))


def test_layer_info() -> None:
    assert "tanh" in made().get_layer_info()


def test_profiling() -> None:
    module = made()
    rows: list[tuple[str, float]] = []
    module.enable_profiling(lambda name, milliseconds: rows.append((name, milliseconds)))
    module(A, B)
    module(A, B)
    again = by_pickle(module)
    module.disable_profiling()
    module(A, B)
    again(A, B)
    assert [name for name, _ in rows] == [module.name] * 2
    assert all(0 < milliseconds < 1e4 for _, milliseconds in rows)


def test_profiling_prints_or_calls_a_profiler(capsys: pytest.CaptureFixture[str]) -> None:
    class Profiler:
        rows = 0

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            self.rows += bool(layer_name and ms)

    module, profiler = made(), Profiler()
    module.enable_profiling(profiler)
    module(A, B)
    assert profiler.rows == 1
    module.enable_profiling()
    module(A, B)
    assert capsys.readouterr().out.startswith(f"{module.name}: ")


def test_wrong_number_of_inputs() -> None:
    with pytest.raises(ValueError, match="got 1 inputs, expected 2: a, b"):
        made()(A)


def test_names_that_do_not_fit() -> None:
    engine = made().engine
    with pytest.raises(ValueError, match=r"input_names is \['a'\], but the engine reads b too"):
        TRTModule(engine, ["a"])
    with pytest.raises(ValueError, match="output_names has logits, expected among"):
        TRTModule(engine, ["a", "b"], ["logits"])


def test_a_module_without_an_engine() -> None:
    with pytest.raises(ValueError, match="the module has no engine"):
        TRTModule()(A)


def test_a_wrong_shape_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"\(a\) has shape \[7, 3\], expected"):
        made()(torch.randn(7, 3), B)


def test_it_nests_in_other_modules() -> None:
    result = TRTInterpreter(fx.trace(seeded(MLP), [X]), [X]).run(lower_precision=FP32)
    engine = TRTModule(result.engine, result.input_names, result.output_names)
    outer = nn.Sequential(engine, nn.Softmax(-1))
    again = nn.Sequential(TRTModule(), nn.Softmax(-1))
    again.load_state_dict(outer.state_dict())
    torch.testing.assert_close(again(X), outer(X))
