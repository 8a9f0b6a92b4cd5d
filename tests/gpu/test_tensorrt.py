"""How plans of TensorRT run on the GPU that is here; TensorRT itself need not be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU is here")


def test_on_a_double_of_tensorrt(tmp_path: Path) -> None:
    program = Path(__file__).with_name("run_fake_tensorrt.py")
    done = subprocess.run(
        [sys.executable, program, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all right\n")
