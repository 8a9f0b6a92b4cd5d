"""What became of every op of a compiled module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import torch

from torch_tensorrt import _C

REPORT_ATTRIBUTE = "_torchtrt_report"


@dataclass(frozen=True)
class Report:
    """Which ops are in which engine, and which stayed in PyTorch with the reason.

    Attributes:
        json: the whole report as JSON: `engines` (name, plugin, inputs, outputs, network) and
            `nodes` (op, location, module, engine or code and reason).
    """

    json: str

    @property
    def data(self) -> dict[str, Any]:
        """The JSON, parsed."""
        parsed: dict[str, Any] = json.loads(self.json)
        return parsed

    @property
    def summary(self) -> str:
        """One line: engines, ops in them, and the ops that stayed in PyTorch with their reasons."""
        return str(self.data["summary"])

    @property
    def text(self) -> str:
        """A table for people."""
        return _C.report_text(self.json)

    @property
    def engines(self) -> list[dict[str, Any]]:
        """One entry an engine."""
        return list(self.data["engines"])

    @property
    def in_pytorch(self) -> list[dict[str, Any]]:
        """The ops that compute and stayed in PyTorch."""
        return [n for n in self.data["nodes"] if n["engine"] < 0 and not n.get("host")]

    def __str__(self) -> str:
        return self.text


def report(module: torch.nn.Module) -> Report:
    """What became of every op of a compiled module, also of one that was loaded from a file.

    Raises:
        ValueError: the module was not compiled by torch_tensorrt.

    >>> import torch, torch_tensorrt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    >>> fast = torch_tensorrt.compile(model, ir="ts", inputs=[torch.ones(2, 4)], min_block_size=1)
    >>> torch_tensorrt.report(fast).in_pytorch
    []
    """
    text = getattr(module, REPORT_ATTRIBUTE, None)
    if not isinstance(text, str):
        raise ValueError(
            f"{type(module).__name__} has no report, expected a module compiled by torch_tensorrt"
        )
    return Report(text)
