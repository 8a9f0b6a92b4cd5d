"""Padding modes as amounts at both ends."""

from __future__ import annotations

from collections.abc import Sequence

from torch_tensorrt.dynamo.conversion._enums import PaddingMode

Amounts = Sequence[int]


def explicit_padding(
    mode: PaddingMode,
    sizes: Sequence[int],
    window: Amounts,
    stride: Amounts,
    dilation: Amounts,
    given: tuple[Amounts, Amounts],
) -> tuple[list[int], list[int]]:
    """What a padding mode adds before and behind each axis.

    >>> explicit_padding(PaddingMode.SAME_UPPER, (5,), (2,), (1,), (1,), ((0,), (0,)))
    ([0], [1])

    Raises:
        NotImplementedError: it depends on a dynamic size.
    """
    begin, end = list(given[0]), list(given[1])
    for axis, size in enumerate(sizes):
        s, reach = stride[axis], dilation[axis] * (window[axis] - 1) + 1
        if mode is PaddingMode.EXPLICIT_ROUND_UP and s > 1:
            # Padding to the next full step makes the rounded-down size the rounded-up one.
            rest = -(_known(mode, axis, size) + begin[axis] + end[axis] - reach) % s
            end[axis] += rest
        elif mode in (PaddingMode.SAME_UPPER, PaddingMode.SAME_LOWER):
            total = reach - 1
            if s > 1:
                steps = -(-_known(mode, axis, size) // s) - 1
                total = max(steps * s + reach - size, 0)
            less, more = total // 2, total - total // 2
            upper = mode is PaddingMode.SAME_UPPER
            begin[axis], end[axis] = (less, more) if upper else (more, less)
    return begin, end


def _known(mode: PaddingMode, axis: int, size: int) -> int:
    if size < 0:
        raise NotImplementedError(
            f"padding_mode is {mode.name} and axis {axis + 2} is dynamic, expected a size known at "
            "compile time, or explicit padding"
        )
    return size
