"""Which values the nodes of a graph give: gathered over data, as table, CSV, JSON or plot."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

from torch_tensorrt.fx._groups import CALLS
from torch_tensorrt.fx._histogram import RunningHistogram
from torch_tensorrt.fx._lowering import named

_COLUMNS = ("name", "target", "shape", "dtype", "count", "min", "max", "mean", "std", "not_finite")


@dataclass
class NodeStatistics:
    """The values of one node over all data.

    Attributes:
        name: of the node.
        target: what it calls.
        shape: of its last value.
        dtype: of its last value.
        count: number of finite values.
        not_finite: number of infinities and NaNs; they count nowhere else.
        min, max, mean: of the finite values.
        histogram: of the finite values.
    """

    name: str
    target: str
    histogram: RunningHistogram
    shape: tuple[int, ...] = ()
    dtype: str = ""
    count: int = 0
    not_finite: int = 0
    min: float = math.inf
    max: float = -math.inf
    mean: float = 0.0
    _squares: float = field(default=0.0, repr=False)

    @property
    def std(self) -> float:
        """The standard deviation of all values, 0 where there is none."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    def add(self, tensor: torch.Tensor) -> None:
        """Takes note of one value."""
        self.shape, self.dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
        values = tensor.detach().to("cpu", torch.float64).flatten()
        finite = values[values.isfinite()]
        self.not_finite += values.numel() - finite.numel()
        if not finite.numel():
            return
        self.min = min(self.min, finite.min().item())
        self.max = max(self.max, finite.max().item())
        # Mean and squares of two sets from those of each: sums of squares would cancel.
        count, mean = finite.numel(), finite.mean().item()
        total, shift = self.count + count, mean - self.mean
        self._squares += (finite - mean).square().sum().item()
        self._squares += shift * shift * self.count * count / total
        self.mean += shift * count / total
        self.count = total
        self.histogram.add(finite)

    def row(self) -> dict[str, Any]:
        """The numbers by column; nothing where no finite value was seen."""
        row = {column: getattr(self, column) for column in _COLUMNS}
        if not self.count:
            row.update(min=None, max=None, mean=None, std=None)
        return row


@dataclass
class Statistics:
    """The values of a graph's nodes, by the node's name."""

    nodes: dict[str, NodeStatistics]

    def to_text(self) -> str:
        """A table for people, a line a node."""
        rows = [
            list(_COLUMNS),
            *([_shown(v) for v in n.row().values()] for n in self.nodes.values()),
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def to_csv(self) -> str:
        """The same columns as comma-separated values, numbers in full."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {**node.row(), "shape": "x".join(str(size) for size in node.shape)}
            for node in self.nodes.values()
        )
        return out.getvalue()

    def to_json(self) -> str:
        """The same with each histogram: its edges, and the counts between them."""
        return json.dumps(
            [
                {
                    **node.row(),
                    "histogram": {
                        "edges": node.histogram.edges.tolist() if node.count else [],
                        "counts": node.histogram.counts.tolist() if node.count else [],
                    },
                }
                for node in self.nodes.values()
            ]
        )

    def plot(self, names: Sequence[str] | None = None) -> Any:
        """The histograms as a matplotlib figure; its `savefig` writes a file.

        Args:
            names: of the nodes to plot; left out, all that have values.

        Raises:
            ImportError: matplotlib is missing.
            ValueError: there is nothing to plot, or no node has such a name.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("plot needs matplotlib: pip install matplotlib") from error
        chosen = self._chosen(names)
        figure = Figure(figsize=(5, 2.2 * len(chosen)), layout="constrained")
        for axes, node in zip(
            figure.subplots(len(chosen), squeeze=False)[:, 0], chosen, strict=True
        ):
            axes.stairs(node.histogram.counts.numpy(), node.histogram.edges.numpy(), fill=True)
            axes.set_yscale("symlog")
            axes.set_title(f"{node.name}: mean {node.mean:.3g}, std {node.std:.3g}", fontsize=8)
        return figure

    def _chosen(self, names: Sequence[str] | None) -> list[NodeStatistics]:
        unknown = [name for name in names or () if name not in self.nodes]
        if unknown:
            raise ValueError(f"no node is called {', '.join(unknown)}")
        wanted = self.nodes if names is None else names
        chosen = [self.nodes[name] for name in wanted if self.nodes[name].count]
        if not chosen:
            raise ValueError("no node has values, expected data first")
        return chosen


def collect(
    module: fx.GraphModule,
    data: Iterable[Any],
    bins: int = 64,
    where: Callable[[fx.Node], bool] | None = None,
) -> Statistics:
    """Runs a graph over data and gathers the values of its nodes.

    Args:
        module: what `fx.trace` gave.
        data: one element a call: a tensor, or a tuple or list of all arguments.
        bins: of the histograms; even.
        where: which nodes to look at; left out, all inputs and all that compute. Values that are no
            real tensors are left out.

    >>> import torch, torch_tensorrt
    >>> from torch_tensorrt.fx.tools.statistics import collect
    >>> traced = torch_tensorrt.fx.trace(torch.nn.ReLU(), [torch.ones(4)])
    >>> statistics = collect(traced, [torch.tensor([-1.0, 1.0, 3.0, 5.0])])
    >>> statistics.nodes["relu"].mean
    2.25
    >>> print(statistics.to_csv().splitlines()[1])
    input_1,input,4,float32,4,-1.0,5.0,2.0,2.23606797749979,0
    """
    nodes: dict[str, NodeStatistics] = {}

    class Run(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            asked = n.op in ("placeholder", *CALLS) and (where is None or where(n))
            if asked and isinstance(result, torch.Tensor) and not result.is_complex():
                if n.name not in nodes:
                    nodes[n.name] = NodeStatistics(n.name, named(n), RunningHistogram(bins))
                nodes[n.name].add(result)
            return result

    run = Run(module)
    with torch.no_grad():
        for each in data:
            run.run(*each) if isinstance(each, tuple | list) else run.run(each)
    return Statistics(nodes)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "x".join(str(size) for size in value) if isinstance(value, tuple) else str(value)
