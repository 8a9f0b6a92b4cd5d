"""Observers: ranges of values, and how they get into a graph."""

from __future__ import annotations

import math

import pytest
import torch
from fx.models import MLP, seeded, targets
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx.quantization import (
    HistogramObserver,
    MinMaxObserver,
    MovingAverageObserver,
    Observer,
    collect,
    insert_observers,
    observers_of,
)

DATA = [torch.randn(4, 8, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]


def test_min_and_max() -> None:
    observer = MinMaxObserver()
    for x in DATA:
        observer.observe(x)
    every = torch.cat(DATA)
    assert observer.ranges() == (every.min().item(), every.max().item())


def test_moving_average() -> None:
    observer = MovingAverageObserver(momentum=0.75)
    for low, high in ((0.0, 8.0), (-4.0, 0.0)):
        observer.observe(torch.tensor([low, high]))
    assert observer.ranges() == (-1.0, 6.0)
    with pytest.raises(ValueError, match="momentum is 1"):
        MovingAverageObserver(1)


def test_percentile_leaves_outliers_out() -> None:
    values = torch.randn(20000, generator=torch.Generator().manual_seed(0))
    observer = HistogramObserver(percentile=99.0)
    for part in values.split(1000):
        observer.observe(part)
    observer.observe(torch.tensor([1000.0]))
    low, high = observer.ranges()
    bin_width = observer.histogram.width
    assert abs(low - values.quantile(0.005).item()) <= 2 * bin_width
    assert abs(high - values.quantile(0.995).item()) <= 2 * bin_width
    whole = HistogramObserver(percentile=100)
    whole.observe(values)
    assert whole.ranges() == (values.min().item(), values.max().item())
    with pytest.raises(ValueError, match="percentile is 0"):
        HistogramObserver(0)


@pytest.mark.parametrize("kind", [MinMaxObserver, MovingAverageObserver, HistogramObserver])
def test_every_observer(kind: type) -> None:
    observer = kind()
    assert isinstance(observer, Observer)
    with pytest.raises(ValueError, match="the observer has seen no value"):
        observer.ranges()
    observer.observe(torch.tensor([math.nan, math.inf]))
    observer.observe(torch.zeros(0))
    with pytest.raises(ValueError, match="the observer has seen no value"):
        observer.ranges()
    observer.observe(torch.tensor([2.0, math.nan], dtype=torch.float16))
    low, high = observer.ranges()
    assert math.isclose(low, 2.0, rel_tol=1e-5)
    assert math.isclose(high, 2.0, rel_tol=1e-5)


@pytest.mark.parametrize("aten", [False, True])
def test_observers_in_a_graph(aten: bool) -> None:
    model = seeded(MLP)
    traced = fx.trace(model, [DATA[0]], aten=aten)
    before = traced.code
    observed = insert_observers(traced, MinMaxObserver)
    assert traced.code == before
    ranges = collect(observed, DATA)
    every = torch.cat(DATA)
    assert ranges["x"] == (every.min().item(), every.max().item())
    results = torch.cat([model(x) for x in DATA])
    assert ranges["softmax"] == pytest.approx((results.min().item(), results.max().item()))
    torch.testing.assert_close(observed(DATA[0]), model(DATA[0]))


def test_observers_where_they_are_wanted() -> None:
    def linear(node: torch.fx.Node) -> bool:
        return node.op == "call_module" and str(node.target) in ("layers.0", "layers.2")

    observed = insert_observers(fx.trace(seeded(MLP), [DATA[0]]), MinMaxObserver, where=linear)
    assert list(observers_of(observed)) == ["layers_0", "layers_2"]
    assert targets(observed.graph)[:2] == ["layers.0", "observer_layers_0"]
    assert list(collect(observed, [(DATA[0],)])) == ["layers_0", "layers_2"]


def test_ranges_add_up_over_calls() -> None:
    observed = insert_observers(fx.trace(nn.ReLU(), [torch.ones(1)]), MinMaxObserver)
    collect(observed, [torch.tensor([-1.0])])
    assert collect(observed, [torch.tensor([5.0])])["input_1"] == (-1.0, 5.0)


def test_what_is_no_floating_tensor_is_not_observed() -> None:
    class Parts(nn.Module):
        def forward(self, ids: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return x[ids] * ids.size(0)

    inputs = [torch.tensor([0, 1]), torch.randn(3)]
    observed = insert_observers(fx.trace(Parts(), inputs), MinMaxObserver)
    assert list(collect(observed, [inputs])) == ["x", "getitem", "mul"]


def test_a_factory_of_something_else() -> None:
    with pytest.raises(
        TypeError, match="observer_factory gave an int, expected an object with obs"
    ):
        insert_observers(fx.trace(nn.ReLU(), [torch.ones(1)]), int)  # type: ignore[arg-type]


def test_a_graph_without_observers() -> None:
    with pytest.raises(ValueError, match="the graph has no observers"):
        collect(fx.trace(nn.ReLU(), [torch.ones(1)]), [torch.ones(1)])
