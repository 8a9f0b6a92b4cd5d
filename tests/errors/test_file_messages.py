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


class Positive(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x > 0


class Negative(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x < 0


class Total(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu().sum(0)


class Twice(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.relu(), x.relu()


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize(
    ("last", "other", "message"),
    [
        (
            torch.nn.ReLU(),
            torch.nn.Threshold(-2, 0),
            "output 0 differs from the exported program: Tensor-likes are",
        ),
        (Positive(), Negative(), "output 0 differs from the exported program: Tensor-likes are"),
        (
            Total(),
            torch.nn.ReLU(),
            "output 0 differs from the exported program: .*shape.* do not match",
        ),
        (Twice(), torch.nn.ReLU(), "there are 2 outputs, expected the 1 of the exported program"),
    ],
)
def test_refit_with_the_weights_of_another_model(
    last: torch.nn.Module, other: torch.nn.Module, message: str
) -> None:
    fast = torch_tensorrt.compile(model(last), inputs=[X], min_block_size=1)
    program = torch.export.export(model(other), (X,))
    with pytest.raises(ValueError, match=f"after refit {message}"):
        torch_tensorrt.dynamo.refit_module_weights(
            fast, program, arg_inputs=[X], verify_output=True
        )


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_refit_of_results_with_nan() -> None:
    fast = torch_tensorrt.compile(
        model(torch.nn.Tanh()), inputs=[X], engine="reference", min_block_size=1
    )
    program = torch.export.export(model(torch.nn.Tanh()), (X,))
    torch_tensorrt.dynamo.refit_module_weights(
        fast, program, arg_inputs=[X * float("nan")], verify_output=True
    )
