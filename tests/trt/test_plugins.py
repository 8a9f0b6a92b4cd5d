"""Plugins: the program of builder calls, and what of it NVIDIA's library does on this machine.

TensorRT-RTX has a registry of plugins, and no
`add_plugin_v3`. So the registry, the creators and the fields are the real ones here; the layer is
an identity layer in its place.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from torch_tensorrt import _C, _tensorrt
from trt.programs import REGISTRY, caught, text_of
from trt.test_builds import CONFORMANCE

tensorrt_rtx = pytest.importorskip("tensorrt_rtx")

OPTIONS = {
    "target": "sm_89",
    "workspace_size": 0,
    "optimization_level": -1,
    "tf32": True,
    "average_timing_iterations": 1,
    "max_aux_streams": -1,
    "tiling_optimization_level": "none",
    "l2_limit_for_tiling": -1,
    "timing_cache_path": "",
    "hardware_compatible": False,
    **dict.fromkeys(_tensorrt._FLAGS, False),
}
ROI_ALIGN = """\
%1 = network.add_input("x0", f32, [-1, 4])
%2 = network.add_input("x1", i32, [-1])
%3 = network.add_constant([1, 4, 8, 8], w0:f32[1024 bytes])
%4 = %3.get_output(0)
%5 = registry.get_creator("ROIAlign_TRT", "2", "")
%6 = %5.create_plugin("ROIAlign_TRT", {coordinate_transformation_mode: w1:i32[4 bytes], \
mode: w2:i32[4 bytes], output_height: w3:i32[4 bytes], output_width: w4:i32[4 bytes], \
sampling_ratio: w5:i32[4 bytes], spatial_scale: w6:f32[4 bytes]}, TensorRTPhase.BUILD)
%7 = network.add_plugin_v3([%4, %1, %2], [], %6)
%8 = %7.get_output(0)
%7.name = "plugin#3"
%8.name = "y0"
network.mark_output(%8)
profile x0 shape [1, 4] [3, 4] [5, 4]
profile x1 shape [1] [3] [5]
output y0 f32[-1, 4, 2, 3]
"""


@pytest.fixture(scope="module")
def roi_align(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The conformance suite's network of a plugin."""
    folder = tmp_path_factory.mktemp("networks")
    command = [CONFORMANCE, "--dump", folder, "--filter", "plugin/roi_align/f32/dynamic"]
    subprocess.run(command, check=True)
    (file,) = folder.iterdir()
    return file.read_bytes()


def test_the_program_is_the_known_one(roi_align: bytes) -> None:
    with caught("11.1.0") as programs:
        _C.build_plan(roi_align, "tensorrt", "sm_89")
    assert text_of(programs[0]) == ROI_ALIGN


def test_tensorrt_rtx_is_not_asked(roi_align: bytes) -> None:
    with pytest.raises(
        NotImplementedError, match="TensorRT-RTX has no add_plugin_v3: its networks"
    ):
        _C.build_plan(roi_align, "tensorrt_rtx", "sm_89")


# ---- a registered plugin of Python's ----


class Scale(tensorrt_rtx.IPluginV3, tensorrt_rtx.IPluginV3OneCore, tensorrt_rtx.IPluginV3OneBuild):
    """y of x's type and shape."""

    def __init__(self) -> None:
        for base in Scale.__bases__:
            base.__init__(self)
        self.plugin_name, self.plugin_version, self.plugin_namespace = "Scale", "1", "mylib"
        self.num_outputs = 1

    def get_capability_interface(self, kind: Any) -> Any:
        return self


class ScaleCreator(tensorrt_rtx.IPluginCreatorV3One):
    """Keeps the fields that it is given."""

    def __init__(self) -> None:
        tensorrt_rtx.IPluginCreatorV3One.__init__(self)
        self.name, self.plugin_version, self.plugin_namespace = "Scale", "1", "mylib"
        self.field_names = tensorrt_rtx.PluginFieldCollection([])
        self.given: dict[str, tuple[str, Any]] = {}

    def create_plugin(self, name: str, fields: Any, phase: Any) -> Any:
        assert (name, phase) == ("Scale", tensorrt_rtx.TensorRTPhase.BUILD)
        self.given = {field.name: (field.type.name, field.data.copy()) for field in fields}
        if "raises" in self.given:
            raise KeyError("no such kernel")
        return Scale()


CREATOR = ScaleCreator()


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    registry = tensorrt_rtx.get_plugin_registry()
    assert registry.register_creator(CREATOR, "mylib")
    yield
    assert registry.deregister_creator(CREATOR)


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any, Any]]:
    """The arguments of calls of add_plugin_v3, in whose place identity layers are added."""
    calls = []

    def add_plugin_v3(network: Any, inputs: Any, shape_inputs: Any, plugin: Any) -> Any:
        calls.append(([tuple(x.shape) for x in inputs], shape_inputs, plugin))
        return network.add_identity(inputs[0])

    monkeypatch.setattr(
        tensorrt_rtx.INetworkDefinition, "add_plugin_v3", add_plugin_v3, raising=False
    )
    return calls


def play(program: dict[str, Any], weights: list[bytes]) -> bytes:
    program = {**program, "options": OPTIONS, "data": None}
    return _tensorrt.build("tensorrt_rtx", json.dumps(program), weights)


def scale_program(
    fields: list[tuple[str, Any]], dtypes: tuple[str, ...] = (), version: str = "1"
) -> dict[str, Any]:
    """y = plugin(relu(x))"""
    refs = {"refs": [3]}
    phase = {"enum": ["TensorRTPhase", "BUILD"]}
    relu = {"enum": ["ActivationType", "RELU"]}
    return {
        "steps": [
            ["call", 1, 0, "add_input", ["x", {"dtype": "f32"}, {"dims": [2, 3]}]],
            ["call", 2, 0, "add_activation", [{"ref": 1}, relu]],
            ["call", 3, 2, "get_output", [0]],
            ["call", 4, REGISTRY, "get_creator", ["Scale", version, "mylib"]],
            ["call", 5, 4, "create_plugin", ["Scale", {"fields": fields}, phase]],
            ["call", 6, 0, "add_plugin_v3", [refs, {"refs": []}, {"ref": 5}]],
            ["call", 7, 6, "get_output", [0]],
            ["set", 0, 7, "name", ["y"]],
            ["call", 0, 0, "mark_output", [{"ref": 7}]],
        ],
        "weights": dtypes,
        "profiles": [],
        "outputs": [["y", "f32", [2, 3]]],
    }


def test_a_registered_plugin_gets_its_fields(layers: list[tuple[Any, Any, Any]]) -> None:
    numbers = {
        "f32": np.array([0.5, 2], np.float32),
        "f64": np.array([0.1], np.float64),
        "i8": np.array([-3], np.int8),
        "i32": np.array([1, 2, 3], np.int32),
        "i64": np.array([1 << 40], np.int64),
    }
    fields = [*((dtype, index) for index, dtype in enumerate(numbers)), ("mode", "cubic")]
    plan = play(scale_program(fields, tuple(numbers)), [a.tobytes() for a in numbers.values()])
    assert len(plan) > 1000
    ((inputs, shape_inputs, plugin),) = layers
    assert (inputs, shape_inputs) == ([(2, 3)], [])
    assert isinstance(plugin, Scale)
    kinds = {name: kind for name, (kind, _) in CREATOR.given.items()}
    theirs = {"f32": "FLOAT32", "f64": "FLOAT64", "i8": "INT8", "i32": "INT32", "i64": "INT64"}
    assert kinds == {**theirs, "mode": "CHAR"}
    for dtype, expected in numbers.items():
        np.testing.assert_array_equal(CREATOR.given[dtype][1], expected)
    assert bytes(CREATOR.given["mode"][1]) == b"cubic"


def test_tensorrt_rtx_has_no_plugins_in_its_networks() -> None:
    """Where that changes, so should `rtx_gap` in src/engines/tensorrt/support.cpp."""
    with pytest.raises(RuntimeError, match=r"INetworkDefinit.* has no attribute 'add_plugin_v3'"):
        play(scale_program([]), [])


def test_an_unknown_plugin_is_an_error_with_the_nearest() -> None:
    with pytest.raises(RuntimeError) as raised:
        play(scale_program([], version="2"), [])
    assert str(raised.value) == (
        "no plugin 'Scale' of version '2' in namespace 'mylib' is registered in this process; "
        "nearest: 'Scale' of version '1' in namespace 'mylib'. Load the library that registers it "
        "before engines are built, and before they run"
    )


def test_what_a_creator_raises_is_the_error() -> None:
    with pytest.raises(RuntimeError, match=r"ScaleCreator.create_plugin: 'no such kernel'"):
        play(scale_program([("raises", "yes")]), [])
