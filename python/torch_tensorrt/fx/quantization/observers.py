"""What watches the values of one tensor."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch

from torch_tensorrt.fx._histogram import RunningHistogram

_EMPTY = "the observer has seen no value, expected data first"


@runtime_checkable
class Observer(Protocol):
    """Sees every tensor that a node gives, and says which range its values take."""

    def observe(self, tensor: torch.Tensor) -> None:
        """Takes note of one floating tensor."""

    def ranges(self) -> tuple[float, float]:
        """The smallest and the largest value to represent.

        Raises:
            ValueError: nothing was observed.
        """


class MinMaxObserver:
    """The smallest and largest value ever seen.

    >>> observer = MinMaxObserver()
    >>> observer.observe(torch.tensor([-1.0, 4.0]))
    >>> observer.ranges()
    (-1.0, 4.0)
    """

    def __init__(self) -> None:
        self.low, self.high = float("inf"), float("-inf")

    def observe(self, tensor: torch.Tensor) -> None:
        """Widens the range; values that are not finite do not count."""
        values = _finite(tensor)
        if values.numel():
            self.low = min(self.low, values.min().item())
            self.high = max(self.high, values.max().item())

    def ranges(self) -> tuple[float, float]:
        """The range so far."""
        if self.low > self.high:
            raise ValueError(_EMPTY)
        return self.low, self.high


class MovingAverageObserver:
    """The average of the ranges of the tensors seen, recent ones counting more.

    Args:
        momentum: share that the range so far keeps when a tensor comes, 0..1.

    >>> observer = MovingAverageObserver(momentum=0.5)
    >>> observer.observe(torch.tensor([0.0, 4.0]))
    >>> observer.observe(torch.tensor([-2.0, 8.0]))
    >>> observer.ranges()
    (-1.0, 6.0)
    """

    def __init__(self, momentum: float = 0.9) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is {momentum}, expected 0 <= momentum < 1")
        self.momentum = momentum
        self._range: tuple[float, float] | None = None

    def observe(self, tensor: torch.Tensor) -> None:
        """Moves the range towards the tensor's."""
        values = _finite(tensor)
        if not values.numel():
            return
        new = values.min().item(), values.max().item()
        if self._range is None:
            self._range = new
            return
        low, high = (
            self.momentum * old + (1 - self.momentum) * each
            for old, each in zip(self._range, new, strict=True)
        )
        self._range = low, high

    def ranges(self) -> tuple[float, float]:
        """The range so far."""
        if self._range is None:
            raise ValueError(_EMPTY)
        return self._range


class HistogramObserver:
    """The range in which most values lie: rare outliers do not widen it.

    Args:
        percentile: how many percent of the values the range holds; the others lie on both sides.
        bins: of the histogram; even. The range is exact to within a bin.

    >>> observer = HistogramObserver(percentile=98.0)
    >>> observer.observe(torch.linspace(0, 1, 1001))
    >>> [round(limit, 2) for limit in observer.ranges()]
    [0.01, 0.99]
    """

    def __init__(self, percentile: float = 99.99, bins: int = 2048) -> None:
        if not 0 < percentile <= 100:
            raise ValueError(f"percentile is {percentile}, expected 0 < percentile <= 100")
        self.percentile = percentile
        self.histogram = RunningHistogram(bins)
        self._extremes = MinMaxObserver()

    def observe(self, tensor: torch.Tensor) -> None:
        """Counts the values; those that are not finite do not count."""
        self._extremes.observe(tensor)
        self.histogram.add(_finite(tensor).to("cpu", torch.float64).flatten())

    def ranges(self) -> tuple[float, float]:
        """The range so far."""
        low, high = self._extremes.ranges()
        tail = (100 - self.percentile) / 200
        return (
            max(low, self.histogram.quantile(tail)) if tail else low,
            min(high, self.histogram.quantile(1 - tail)) if tail else high,
        )


def _finite(tensor: torch.Tensor) -> torch.Tensor:
    values = tensor.detach()
    finite = values.isfinite()
    return values if bool(finite.all()) else values[finite]
