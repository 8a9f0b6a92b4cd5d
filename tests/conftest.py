"""Paths and threads for all Python tests."""

import os
import sys
import tempfile
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
    """Sets an engine cache of the tests' own; leaves out what PyTorch says about itself."""
    if "TORCHTRT_CACHE_DIR" not in os.environ:
        folder = tempfile.TemporaryDirectory()
        os.environ["TORCHTRT_CACHE_DIR"] = folder.name
        config.add_cleanup(folder.cleanup)
    for line in (
        "ignore:.*torch.jit.* is deprecated:DeprecationWarning",
        "ignore::torch.jit.TracerWarning",
        "ignore:.*is_gradient_checkpointing.*:FutureWarning",
    ):
        config.addinivalue_line("filterwarnings", line)
