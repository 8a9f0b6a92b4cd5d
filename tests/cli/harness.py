"""The program torchtrtc as a function, and a model for it."""

import importlib.util
import subprocess
from pathlib import Path

import torch

_PACKAGE = importlib.util.find_spec("torch_tensorrt")
assert _PACKAGE, "torch_tensorrt is not built"
PACKAGE = Path(_PACKAGE.origin or "").parent
PROGRAM = PACKAGE / "bin" / "torchtrtc"

DONE, FAILED, USAGE = 0, 1, 2


def torchtrtc(*words: object) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(8, 16)
        self.second = torch.nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)).softmax(-1))
