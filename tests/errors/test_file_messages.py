"""Whole sentences about compiled modules that are saved or get new weights."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import torch
import torch_tensorrt

X = torch.linspace(-1, 1, 12).reshape(4, 3)


def model(last: torch.nn.Module) -> torch.nn.Module:
    """A linear layer and this one."""
    linear = torch.nn.Linear(3, 3)
    torch.nn.init.eye_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    return torch.nn.Sequential(linear, last).eval()


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_save_after_pickling(tmp_path: Path) -> None:
    fast = torch_tensorrt.compile(model(torch.nn.ReLU()), inputs=[X], min_block_size=1)
    message = (
        "the graph has no fake values any more, expected a module as torch_tensorrt.compile gave "
        "it; save it before it is pickled"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        torch_tensorrt.save(pickle.loads(pickle.dumps(fast)), tmp_path / "x.pt2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_refit_with_the_weights_of_another_model() -> None:
    fast = torch_tensorrt.compile(model(torch.nn.ReLU()), inputs=[X], min_block_size=1)
    other = torch.export.export(model(torch.nn.Threshold(-2, 0)), (X,))
    message = "after refit output 0 differs from the exported program by 1.0e+00"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        torch_tensorrt.dynamo.refit_module_weights(fast, other, arg_inputs=[X], verify_output=True)
