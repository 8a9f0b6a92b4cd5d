"""Values of nodes, gathered over data."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import sys

import pytest
import torch
from fx.models import MLP, seeded
from torch import nn
from torch_tensorrt import fx
from torch_tensorrt.fx._histogram import RunningHistogram
from torch_tensorrt.fx.tools.statistics import Statistics, collect

DATA = [torch.randn(n, 8, generator=torch.Generator().manual_seed(n)) * n for n in (3, 1, 7, 20)]


def gathered(**options: object) -> Statistics:
    return collect(fx.trace(seeded(MLP), [DATA[0]]), DATA, **options)  # type: ignore[arg-type]


def test_numbers_are_those_of_all_data() -> None:
    statistics = gathered()
    model = seeded(MLP)
    every = torch.cat(DATA).double()
    hidden = torch.cat([model.layers[0](x) for x in DATA]).double()
    for name, values in (("x", every), ("layers_0", hidden)):
        node = statistics.nodes[name]
        assert node.count == values.numel()
        assert node.min == values.min().item()
        assert node.max == values.max().item()
        assert math.isclose(node.mean, values.mean().item(), abs_tol=1e-9)
        assert math.isclose(node.std, values.std(correction=0).item(), rel_tol=1e-9)
        assert int(node.histogram.counts.sum()) == values.numel()
    assert statistics.nodes["layers_0"].target == "module layers.0 (Linear)"
    assert statistics.nodes["layers_0"].shape == (20, 16)


def test_std_does_not_cancel() -> None:
    traced = fx.trace(nn.Identity(), [torch.ones(1)])
    node = collect(traced, [torch.full((5,), 1e8) + torch.arange(5) * 16]).nodes["input_1"]
    assert math.isclose(node.std, 16 * math.sqrt(2), rel_tol=1e-9)


def test_aten_graphs_and_where() -> None:
    traced = fx.trace(seeded(MLP), [DATA[0]], aten=True)
    statistics = collect(traced, DATA[:1], where=lambda node: "gelu" in node.name)
    assert list(statistics.nodes) == ["gelu"]


def test_integers_and_what_is_no_real_tensor() -> None:
    class Parts(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft(x).abs().max(0)[0] + y.size(0)

    inputs = (torch.randn(3, 4), torch.tensor([1, 2, 6]))
    nodes = collect(fx.trace(Parts(), list(inputs)), [inputs]).nodes
    assert list(nodes) == ["x", "y", "abs_1", "getitem", "add"]
    assert (nodes["y"].dtype, nodes["y"].mean) == ("int64", 3.0)


def test_values_that_are_not_finite_are_counted_apart() -> None:
    traced = fx.trace(nn.Identity(), [torch.ones(1)])
    values = torch.tensor([math.inf, 1.0, math.nan, 3.0])
    node = collect(traced, [values, torch.tensor([math.nan])]).nodes["input_1"]
    assert (node.count, node.not_finite, node.mean, node.max) == (2, 3, 2.0, 3.0)
    only = collect(traced, [torch.tensor([math.nan])])
    assert only.nodes["input_1"].row()["min"] is None
    assert only.to_text().splitlines()[1].split()[-2:] == ["-", "1"]
    assert json.loads(only.to_json())[0]["histogram"]["counts"] == []


def test_tables() -> None:
    statistics = gathered()
    lines = statistics.to_text().splitlines()
    assert lines[0].split() == [
        "name", "target", "shape", "dtype", "count", "min", "max", "mean", "std", "not_finite",
    ]  # fmt: skip
    assert len(lines) == 1 + len(statistics.nodes) == 8
    rows = list(csv.DictReader(io.StringIO(statistics.to_csv())))
    assert float(rows[1]["mean"]) == statistics.nodes["layers_0"].mean
    assert rows[1]["shape"] == "20x16"
    entries = json.loads(statistics.to_json())
    assert [entry["name"] for entry in entries] == list(statistics.nodes)
    assert len(entries[0]["histogram"]["edges"]) == 65
    assert sum(entries[0]["histogram"]["counts"]) == entries[0]["count"]


def test_a_histogram_that_grows_keeps_its_counts() -> None:
    histogram = RunningHistogram(8)
    parts = [torch.linspace(0, 1, 11), torch.linspace(-5, 0, 21), torch.linspace(2, 40, 31)]
    for part in parts:
        histogram.add(part.double())
    values = torch.cat(parts).double()
    edges = histogram.edges
    assert edges[0] <= values.min()
    assert edges[-1] > values.max()
    expected = [
        int(((values >= low) & (values < high)).sum()) for low, high in itertools.pairwise(edges)
    ]
    assert histogram.counts.tolist() == expected


def test_a_histogram_of_one_value() -> None:
    histogram = RunningHistogram(4)
    histogram.add(torch.full((3,), 7.0, dtype=torch.float64))
    histogram.add(torch.zeros(0, dtype=torch.float64))
    assert int(histogram.counts.sum()) == 3
    assert math.isclose(histogram.quantile(0.5), 7.0, rel_tol=1e-5)
    with pytest.raises(ValueError, match="bins is 3, expected an even number"):
        RunningHistogram(3)
    with pytest.raises(ValueError, match="the histogram is empty"):
        RunningHistogram(4).quantile(0.5)


def test_plot() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    figure = gathered().plot(["layers_0", "softmax"])
    assert len(figure.axes) == 2
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_plot_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        gathered().plot()


def test_nodes_to_plot() -> None:
    with pytest.raises(ValueError, match="no node is called conv"):
        gathered()._chosen(["conv"])
    with pytest.raises(ValueError, match="no node has values"):
        Statistics({})._chosen(None)
