"""LowerPrecision: what engines may compute in."""

from __future__ import annotations

from enum import Enum

import torch


class LowerPrecision(Enum):
    """The precision that an engine may use beside the model's own.

    FP32 changes nothing. FP16 and BF16 let an engine compute in that type where values stay in its
    range. INT8 takes the scales from quantize and dequantize nodes of the model.

    >>> LowerPrecision.FP16.dtype
    torch.float16
    >>> LowerPrecision.from_str("bf16")
    <LowerPrecision.BF16: 'bf16'>
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    BF16 = "bf16"

    @property
    def dtype(self) -> torch.dtype:
        """The torch dtype, as the setting `enabled_precisions` takes it."""
        return {
            LowerPrecision.FP32: torch.float32,
            LowerPrecision.FP16: torch.float16,
            LowerPrecision.INT8: torch.int8,
            LowerPrecision.BF16: torch.bfloat16,
        }[self]

    @staticmethod
    def from_str(label: str) -> LowerPrecision:
        """The precision of that name: fp32, fp16, int8 or bf16.

        Raises:
            ValueError: there is none; the message lists them.
        """
        try:
            return LowerPrecision(label.lower())
        except (AttributeError, ValueError):
            names = ", ".join(p.value for p in LowerPrecision)
            raise ValueError(f"precision is {label!r}, expected one of {names}") from None
