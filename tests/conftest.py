"""Paths and threads for all Python tests."""

import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # known_failures, ops.harness, e2e.harness
torch.set_num_threads(min(torch.get_num_threads(), os.cpu_count() or 1))
torch.set_grad_enabled(False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make check-long` asks for."""
    parser.addoption("--long", action="store_true", help="run tests in the form that takes minutes")


def pytest_configure(config: pytest.Config) -> None:
    """Leaves out what PyTorch and transformers say about themselves."""
    for line in (
        "ignore:.*torch.jit.* is deprecated:DeprecationWarning",
        "ignore::torch.jit.TracerWarning",
        "ignore:.*is_gradient_checkpointing.*:FutureWarning",
    ):
        config.addinivalue_line("filterwarnings", line)
