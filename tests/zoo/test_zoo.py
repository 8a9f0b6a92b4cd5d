"""The zoo through the Dynamo frontend: eager's numbers, and nothing left in PyTorch."""

import os
import zlib

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close
from zoo.models import MODELS, POINTS

# All of it takes ten minutes: one in eight runs with the other tests, TORCHTRT_ZOO=all runs all.
ONE_IN = 1 if os.environ.get("TORCHTRT_ZOO") == "all" else 8

# Ops that stay in PyTorch, each with its reason; one that no longer does is a failure.
IN_PYTORCH: dict[str, dict[str, str]] = {}


def turn(name: str) -> object:
    """A parameter, skipped where its turn is only in runs of everything."""
    chosen = zlib.crc32(name.encode()) % ONE_IN == 0
    skip = pytest.mark.skipif(not chosen, reason="not its turn: TORCHTRT_ZOO=all runs every model")
    return pytest.param(name, marks=skip)


def assert_whole(name: str, fast: torch.nn.Module) -> None:
    report = torch_tensorrt.report(fast)
    stayed = {node["op"] for node in report.in_pytorch}
    assert stayed == set(IN_PYTORCH.get(name, {})), report.text[:3000]


@pytest.mark.parametrize("name", [turn(name) for name in MODELS])
def test_one_compilation_serves_all_batches(name: str) -> None:
    model = MODELS[name]
    module = model.module()
    fast = torch_tensorrt.compile(
        module, ir="dynamo", inputs=model.ranges(), cache_built_engines=False
    )
    assert_whole(name, fast)
    for seed, point in enumerate(POINTS):
        inputs = model.tensors(point, seed)
        assert_close(fast(*inputs), module(*inputs))


@pytest.mark.parametrize("name", [turn(name) for name in MODELS])
def test_fixed_shape(name: str) -> None:
    model = MODELS[name]
    module = model.module()
    inputs = model.tensors("usual")
    fast = torch_tensorrt.compile(module, ir="dynamo", inputs=inputs, cache_built_engines=False)
    assert_whole(name, fast)
    assert_close(fast(*inputs), module(*inputs))


def test_the_zoo_has_60_architectures() -> None:
    zoos = [model.zoo for model in MODELS.values()]
    counts = {zoo: zoos.count(zoo) for zoo in set(zoos)}
    assert counts == {"torchvision": 30, "timm": 20, "transformers": 10}
