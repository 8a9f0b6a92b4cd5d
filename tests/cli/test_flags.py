"""What the flags of torchtrtc do."""

import json
import re
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from cli.harness import DONE, FAILED, USAGE, Net, torchtrtc
from cli.test_help import flags

# A value that is not the default, and how the settings show it.
VALUES = {
    "engine": "reference",
    "enabled_precisions": ("half", "f32,f16"),
    "min_block_size": "7",
    "torch_executed_ops": "aten::relu",
    "torch_executed_modules": "first",
    "device_type": "cpu",
    "gpu_id": "2",
    "dla_core": "1",
    "capability": "safety",
    "num_threads": "3",
    "portable": "false",
    "cache_built_engines": "false",
    "engine_cache_dir": "/tmp/cache",
    "num_avg_timing_iters": "4",
    "workspace_size": "1024",
    "optimization_level": "5",
    "target": "sm_89",
    "max_aux_streams": "1",
    "tiling_optimization_level": "fast",
    "l2_limit_for_tiling": "4096",
    "timing_cache_path": "/tmp/timing",
    "dla_sram_size": "11",
    "dla_local_dram_size": "12",
    "dla_global_dram_size": "13",
}
BOOLS = [
    "dryrun",
    "require_full_compilation",
    "pass_through_build_failures",
    "allow_gpu_fallback",
    "disable_tf32",
    "sparse_weights",
    "refit",
    "debug",
    "version_compatible",
    "hardware_compatible",
    "strip_engine_weights",
    "refit_identical_engine_weights",
    "enable_weight_streaming",
    "truncate_long_and_double",
    "allow_shape_tensors",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("flags") / "net.ts"
    torch.jit.script(Net().eval()).save(str(path))
    return path


def compiled(model: Path, *words: object, spec: str = "(4,8)") -> dict[str, object]:
    """The report of a compilation."""
    done = torchtrtc(model, model.parent / "out.ts", spec, "--report=json", *words)
    assert done.returncode == DONE, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def inspected(model: Path) -> str:
    return torchtrtc("inspect", model.parent / "out.ts").stdout


def settings_shown(*words: object) -> str:
    shown = torchtrtc("-v", "--check-method-support=forward", *words).stderr
    (line,) = re.findall(r"DEBUG: settings: (.*)", shown)
    return str(line)


@pytest.mark.parametrize("form", ["one word", "two words"])
def test_every_spelling_of_a_setting_reaches_the_compiler(form: str, model: Path) -> None:
    groups = [group for group in flags() if not set(group) & OWN]
    names = [max(group, key=lambda name: name[2:].replace("-", "_") in KNOWN) for group in groups]
    settings = [name[2:].replace("-", "_") for name in names]
    assert sorted(settings) == sorted(KNOWN)
    for turn in range(max(map(len, groups))):
        words, expected = [], []
        for setting, group in zip(settings, groups, strict=True):
            # The index of a GPU and that of a DLA core exclude each other.
            if setting == ("dla_core" if turn % 2 else "gpu_id") or setting == "device_type":
                continue
            value = VALUES.get(setting, "true")
            given, shown = value if isinstance(value, tuple) else (value, value)
            flag = group[turn % len(group)]
            separate = form == "two words" and setting not in [*BOOLS, "portable", CACHE]
            words += [flag, given] if separate else [f"{flag}={given}"]
            expected.append(f"{setting}={shown}")
        line = settings_shown(model, *words)
        kind = "device_type=" + ("gpu" if turn % 2 else "dla")
        assert sorted(line.split()) == sorted([*expected, kind])


CACHE = "cache_built_engines"
KNOWN = {*VALUES, *BOOLS}
OWN = {"--help", "--version", "--verbose", "--warnings", "--info", "--check-method-support",
       "--save-engine", "--embed-engine", "--report", "--atol", "--rtol", "--no-threshold-check",
       "--custom-torch-ops", "--custom-converters"}  # fmt: skip


@pytest.mark.parametrize("flag", ["-d", "--device-type"])
def test_the_device_type_reaches_the_compiler(flag: str, model: Path) -> None:
    assert settings_shown(model, flag, "CPU") == "device_type=cpu"


def test_version() -> None:
    shown = torchtrtc("--version").stdout
    torch_version = torch.__version__.split("+")[0]
    assert shown == f"torchtrtc {torch_tensorrt.__version__} (PyTorch {torch_version})\n"


def test_info_is_what_python_and_cpp_print(capsys: pytest.CaptureFixture[str]) -> None:
    shown = torchtrtc("info").stdout
    for name in ("Torch-TensorRT", "PyTorch", "Compiler", "C++ ABI", "Engine openvino"):
        assert re.search(rf"^{re.escape(name)}: .+", shown, re.MULTILINE), name
    torch_tensorrt.dump_build_info()
    assert capsys.readouterr().out == torch_tensorrt.ts.get_build_info()
    # Engines that another process found unavailable may say so with other paths.
    assert torch_tensorrt.get_build_info().splitlines()[:5] == shown.splitlines()[:5]


def test_log_levels(model: Path) -> None:
    def log(*words: str) -> str:
        """One run that ends with a warning and one that does not."""
        runs = [
            torchtrtc(model, model.parent / "out.ts", "(4,8)", f"--mbs={least}", *words)
            for least in (1, 50)
        ]
        assert {done.returncode for done in runs} == {DONE}
        return runs[0].stderr + runs[1].stderr

    levels = {
        flag: set(re.findall(r"Torch-TensorRT\] - (\w+):", log(*flag.split())))
        for flag in ("", "-w", "--warnings", "-i", "--i", "--info", "-v", "--verbose")
    }
    assert levels[""] == {"WARNING"}
    assert levels["-w"] == levels["--warnings"] == set()
    assert levels["-i"] == levels["--i"] == levels["--info"] == {"WARNING", "INFO"}
    assert levels["-v"] == levels["--verbose"] == {"WARNING", "INFO", "DEBUG"}


def test_report_forms(model: Path) -> None:
    def report(*words: str) -> str:
        return torchtrtc(model, model.parent / "out.ts", "(4,8)", *words).stdout

    assert report() == "openvino: 1 engine, 4 of 4 ops\n"
    assert report("--report") == report("--report=text") != report()
    assert {"engines", "nodes"} <= set(json.loads(report("--report=json")))


def test_precisions_change_the_network(model: Path) -> None:
    compiled(model)
    assert "bf16" not in inspected(model).split("plan")[0]
    torchtrtc("strip", "plans", model.parent / "out.ts", model.parent / "plain.ts")
    compiled(model, "-p", "bf16")
    changed = torchtrtc("diff", model.parent / "plain.ts", model.parent / "out.ts").stdout
    assert "bf16" in changed


def test_dryrun_builds_nothing(model: Path) -> None:
    report = compiled(model, "--dryrun")
    assert report["engines"] != []
    assert "with 0 engines" in inspected(model)


def test_min_block_size_alone_has_an_effect(model: Path) -> None:
    assert compiled(model, "--mbs=4")["engines"] != []
    assert compiled(model, "--mbs=5")["engines"] == []


def test_modules_stay_in_pytorch(model: Path) -> None:
    report = str(compiled(model, "--tem=first", "--mbs=1"))
    assert "torch_executed_modules" in report
    assert "torch_executed_modules" not in str(compiled(model, "--mbs=1"))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("--teo=nothing::here", "names nothing::here, which is no op that PyTorch knows"),
        ("--tem=nothere", "names nothere, but no op comes from a module of that path or class"),
        ("--teo=aten::sort", ""),
        ("--tem=first", ""),
    ],
)
def test_a_name_that_keeps_nothing_in_pytorch_is_said(words: str, text: str, model: Path) -> None:
    said = torchtrtc(model, model.parent / "out.ts", "(4,8)", "--mbs=1", words).stderr
    assert text in said
    assert ("keeps nothing in PyTorch" in said) == bool(text)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["--gpu-id=0"], "gpu"),
        (["--gpu-id=1", "-d", "dla"], "dla"),
        (["--dla-core=1"], "dla"),
        (["--device-type=dla"], "dla"),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_index_of_a_device_chooses_it(words: list[str], kind: str, model: Path) -> None:
    assert f"device_type={kind}" in settings_shown(model, *words)
    refused = torchtrtc(model, model.parent / "none.ts", "(4,8)", *words)
    assert refused.returncode == FAILED
    assert "no engine can run on CUDA" in refused.stderr


@pytest.mark.parametrize("flag", ["--gpu-id=0", "--dla-core=0"])
def test_the_index_of_another_device_is_refused(flag: str) -> None:
    refused = torchtrtc("a", "b", "-d", "cpu", flag)
    assert refused.returncode == USAGE
    assert f"{flag[:-2]} is for device type" in refused.stderr


def test_an_engine_without_network(model: Path) -> None:
    compiled(model, "--portable=true")
    assert re.search(r"network: \d+ layers", inspected(model))
    # An engine that is built from its network wherever it is loaded cannot do without.
    refused = torchtrtc(model, model.parent / "none.ts", "(4,8)", "--portable=false")
    assert refused.returncode == FAILED
    assert "portable" in refused.stderr


def test_the_engine_cache(model: Path, tmp_path: Path) -> None:
    compiled(model, f"--engine-cache-dir={tmp_path}", "--cache-built-engines=false")
    assert list(tmp_path.iterdir()) == []
    compiled(model, f"--engine-cache-dir={tmp_path}")
    assert list(tmp_path.iterdir()) != []


def test_doubles_are_truncated(tmp_path: Path) -> None:
    model = tmp_path / "double.ts"
    torch.jit.script(Net().double().eval()).save(str(model))
    compiled(model, spec="(4,8)@f64")
    whole = inspected(model)
    compiled(model, "--truncate", spec="(4,8)@f64")
    assert whole != inspected(model)
