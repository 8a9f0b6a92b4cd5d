"""What cannot be tested where TensorRT-RTX is not installed."""

import pytest
import torch_tensorrt


@pytest.fixture(scope="session")
def tensorrt_rtx() -> None:
    """Skips the test where TensorRT-RTX cannot build."""
    engines = {engine.name: engine for engine in torch_tensorrt.runtime.available_engines()}
    if not engines["tensorrt_rtx"].available:
        pytest.skip(f"not run: {engines['tensorrt_rtx'].reason}")
