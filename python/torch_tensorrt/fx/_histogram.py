"""A histogram that grows with what it sees."""

from __future__ import annotations

import torch


class RunningHistogram:
    """Counts of values in bins of equal width, over a range that doubles when a value is outside.

    Args:
        bins: how many; even.

    Raises:
        ValueError: an odd number of bins, or less than two.
    """

    def __init__(self, bins: int) -> None:
        if bins < 2 or bins % 2:
            raise ValueError(f"bins is {bins}, expected an even number, 2 at least")
        self.counts = torch.zeros(bins, dtype=torch.int64)
        self.low = self.width = 0.0

    @property
    def edges(self) -> torch.Tensor:
        """The limits of the bins, one more than there are bins."""
        return self.low + self.width * torch.arange(len(self.counts) + 1, dtype=torch.float64)

    def add(self, values: torch.Tensor) -> None:
        """Counts finite values, a flat float64 tensor."""
        if not values.numel():
            return
        low, high = values.min().item(), values.max().item()
        bins = len(self.counts)
        if not self.width:
            spread = high - low or max(abs(low), 1.0) * 1e-6
            # The largest value is inside of the last bin, not on its edge.
            self.low, self.width = low, spread * (1 + 1e-9) / bins
        while low < self.low:
            self._double(below=True)
        while high >= self.low + bins * self.width:
            self._double(below=False)
        places = ((values - self.low) / self.width).floor().long().clamp(0, bins - 1)
        self.counts += torch.bincount(places, minlength=bins)

    def quantile(self, share: float) -> float:
        """The value below which this share of all values lies, to within a bin."""
        total = int(self.counts.sum())
        if not total:
            raise ValueError("the histogram is empty, expected values first")
        cumulated = self.counts.cumsum(0)
        wanted = share * total
        place = int(torch.searchsorted(cumulated, wanted))
        place = min(place, len(self.counts) - 1)
        before = int(cumulated[place - 1]) if place else 0
        inside = (wanted - before) / max(int(self.counts[place]), 1)
        return self.low + self.width * (place + min(max(inside, 0.0), 1.0))

    def _double(self, below: bool) -> None:
        """Bins of twice the width: each new one takes the counts of two old ones."""
        half = len(self.counts) // 2
        pairs = self.counts.view(half, 2).sum(1)
        self.counts.zero_()
        if below:
            self.low -= len(self.counts) * self.width
            self.counts[half:] = pairs
        else:
            self.counts[:half] = pairs
        self.width *= 2
