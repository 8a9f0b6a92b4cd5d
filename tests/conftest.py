"""Paths and threads for all Python tests."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # known_failures, ops.harness, e2e.harness
torch.set_grad_enabled(False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What tools/run_checks.py asks for."""
    parser.addoption("--long", action="store_true", help="run tests in the form that takes minutes")
    parser.addoption(
        "--torch-threads",
        type=int,
        default=min(torch.get_num_threads(), os.cpu_count() or 1),
        help="threads of PyTorch in the tests' own process (default: as many as cores)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Threads, an engine cache of the tests' own, less of what PyTorch says about itself."""
    torch.set_num_threads(config.getoption("--torch-threads"))
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


@pytest.fixture
def forgotten_converters() -> Iterator[None]:
    """What a test registers is gone after it."""
    from torch_tensorrt.dynamo.conversion import DYNAMO_CONVERTERS

    with DYNAMO_CONVERTERS.temporary():
        yield
