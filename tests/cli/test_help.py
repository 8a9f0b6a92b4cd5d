"""What --help prints, compared with stored text, and that each flag in it has a test."""

import os
import re
from pathlib import Path

import pytest
from cli.harness import DONE, torchtrtc

HERE = Path(__file__).parent
UPDATE = "TORCHTRT_UPDATE_HELP"
TOOLS = ["inspect", "verify", "diff", "strip", "cache", "info"]

# Where the effect of each flag is tested, by one of its names.
REACHES = "test_flags.py::test_every_spelling_of_a_setting_reaches_the_compiler"
TENSORRT = "../trt/test_ahead_of_time.py::test_settings_reach_the_builder"
REAL_TENSORRT = "../trt/test_ahead_of_time.py::test_real_builds_take_the_settings"
EFFECT_OF_FLAG = {
    "--help": "test_help.py::test_help_is_the_stored_text",
    "--version": "test_flags.py::test_version",
    "--verbose": "test_flags.py::test_log_levels",
    "--warnings": "test_flags.py::test_log_levels",
    "--info": "test_flags.py::test_log_levels",
    "--check-method-support": "test_torchtrtc.py::test_check_method_support",
    "--save-engine": "test_torchtrtc.py::test_an_engine_can_be_saved_and_embedded",
    "--embed-engine": "test_torchtrtc.py::test_an_engine_can_be_saved_and_embedded",
    "--report": "test_flags.py::test_report_forms",
    "--atol": "test_exit_codes.py::test_results_that_differ",
    "--rtol": "test_exit_codes.py::test_results_that_differ",
    "--no-threshold-check": "test_exit_codes.py::test_results_that_differ",
    "--custom-torch-ops": "test_torchtrtc.py::test_a_library_that_is_missing",
    "--custom-converters": "test_cpp_examples.py::test_converter_from_a_library",
    "--engine": "test_torchtrtc.py::test_settings_reach_the_compiler",
    "--enabled-precisions": "test_flags.py::test_precisions_change_the_network",
    "--dryrun": "test_flags.py::test_dryrun_builds_nothing",
    "--require-full-compilation": "test_torchtrtc.py::test_unsupported_full_compilation_fails",
    "--pass-through-build-failures": REAL_TENSORRT,
    "--min-block-size": "test_flags.py::test_min_block_size_alone_has_an_effect",
    "--torch-executed-ops": "test_torchtrtc.py::test_settings_reach_the_compiler",
    "--torch-executed-modules": "test_flags.py::test_modules_stay_in_pytorch",
    "--device-type": "test_flags.py::test_the_index_of_a_device_chooses_it",
    "--gpu-id": "test_flags.py::test_the_index_of_a_device_chooses_it",
    "--dla-core": "test_flags.py::test_the_index_of_a_device_chooses_it",
    "--allow-gpu-fallback": REACHES,
    "--capability": REACHES,
    "--num-threads": REACHES,
    "--portable": "test_flags.py::test_an_engine_without_network",
    "--cache-built-engines": "test_flags.py::test_the_engine_cache",
    "--engine-cache-dir": "test_flags.py::test_the_engine_cache",
    "--disable-tf32": TENSORRT,
    "--sparse-weights": TENSORRT,
    "--refit": REAL_TENSORRT,
    "--debug": REACHES,
    "--num-avg-timing-iters": REACHES,
    "--workspace-size": TENSORRT,
    "--optimization-level": TENSORRT,
    "--target": TENSORRT,
    "--version-compatible": TENSORRT,
    "--hardware-compatible": REAL_TENSORRT,
    "--max-aux-streams": TENSORRT,
    "--tiling-optimization-level": TENSORRT,
    "--l2-limit-for-tiling": REAL_TENSORRT,
    "--timing-cache-path": REACHES,
    "--strip-engine-weights": REAL_TENSORRT,
    "--refit-identical-engine-weights": REAL_TENSORRT,
    "--enable-weight-streaming": REAL_TENSORRT,
    "--dla-sram-size": REACHES,
    "--dla-local-dram-size": REACHES,
    "--dla-global-dram-size": REACHES,
    "--truncate-long-and-double": "test_flags.py::test_doubles_are_truncated",
    "--allow-shape-tensors": REACHES,
}


def flags() -> list[list[str]]:
    """The names of each flag in the help."""
    lines = re.findall(r"^  (-.*)$", torchtrtc("-h").stdout, re.MULTILINE)
    return [re.sub(r"\[?=.*", "", line).split(", ") for line in lines]


@pytest.mark.parametrize(
    ("words", "name"),
    [(["-h"], "torchtrtc"), (["--help"], "torchtrtc")]
    + [([tool, flag], "tools") for tool in TOOLS for flag in ("-h", "--help")],
)
def test_help_is_the_stored_text(words: list[str], name: str) -> None:
    stored = HERE / "data" / f"{name}.txt"
    shown = torchtrtc(*words)
    assert (shown.returncode, shown.stderr) == (DONE, "")
    if os.environ.get(UPDATE):
        stored.write_text(shown.stdout)
    assert shown.stdout == stored.read_text(), (
        f"the help is not {stored}; where that is meant: {UPDATE}=1 pytest tests/cli/test_help.py"
    )


def test_every_flag_has_a_test() -> None:
    names = flags()
    untested = [group for group in names if not set(group) & set(EFFECT_OF_FLAG)]
    assert untested == []
    assert set(EFFECT_OF_FLAG) <= {name for group in names for name in group}
    for place in set(EFFECT_OF_FLAG.values()):
        file, test = place.split("::")
        assert f"def {test}(" in (HERE / file).read_text(), place


def test_every_upstream_flag_is_there() -> None:
    wanted = """-h --help -v --verbose -w --warnings --i --info --build-debuggable-engine
        --allow-gpu-fallback --require-full-compilation --check-method-support --disable-tf32
        --sparse-weights -p --enable-precision -d --device-type --gpu-id --dla-core
        --engine-capability --teo --torch-executed-op --tem --torch-executed-mod --mbs
        --min-block-size --embed-engine --num-avg-timing-iters --workspace-size --dla-sram-size
        --dla-local-dram-size --dla-global-dram-size --atol --rtol --no-threshold-check --truncate
        --truncate-long-double --truncate-64bit --allow-shape-tensors --save-engine
        --custom-torch-ops --custom-converters"""
    names = {name for group in flags() for name in group}
    assert set(wanted.split()) - names == set()
