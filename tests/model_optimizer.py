"""The op of NVIDIA ModelOpt, whose package has no CPU kernel of it for integers."""

from __future__ import annotations

import torch

_LIBRARY = torch.library.Library("tensorrt", "FRAGMENT")
_LIBRARY.define(
    "quantize_op(Tensor input, Tensor amax, int num_bits, int exponent_bits, bool unsigned, "
    "bool narrow_range) -> Tensor"
)


@torch.library.register_fake("tensorrt::quantize_op", lib=_LIBRARY)
def _shape(x: torch.Tensor, *_rest: object) -> torch.Tensor:
    return torch.empty_like(x)


@torch.library.impl(_LIBRARY, "quantize_op", "CPU")
def _quantize(
    x: torch.Tensor,
    amax: torch.Tensor,
    num_bits: int,
    exponent_bits: int,
    unsigned: bool,
    narrow_range: bool,
) -> torch.Tensor:
    if exponent_bits:
        scale = amax / 448
        return (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn).float() * scale
    high = 2 ** (num_bits - 1 + unsigned) - 1
    low = 0 if unsigned else -high if narrow_range else -high - 1
    scale = amax / high
    return torch.round(x / scale).clamp(low, high) * scale


def quantize_op(
    x: torch.Tensor,
    amax: torch.Tensor,
    bits: int = 8,
    exponent_bits: int = 0,
    unsigned: bool = False,
    narrow: bool = False,
) -> torch.Tensor:
    """The op with ModelOpt's meaning: x rounded to steps of which `amax` is the last."""
    result: torch.Tensor = torch.ops.tensorrt.quantize_op(
        x, amax, bits, exponent_bits, unsigned, narrow
    )
    return result
