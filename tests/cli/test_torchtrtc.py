"""The program torchtrtc: spec grammar, flags, exit codes, and its four modes."""

import json
from pathlib import Path

import pytest
import torch
from cli.harness import DONE, FAILED, PACKAGE, USAGE, Net, torchtrtc


def run_compiled(path: Path, *inputs: torch.Tensor) -> torch.Tensor:
    torch.ops.load_library(str(PACKAGE / "lib" / "libtorchtrt_runtime.so"))
    result: torch.Tensor = torch.jit.load(str(path))(*inputs)
    return result


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture(scope="module")
def model(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torchtrtc") / "net.ts"
    torch.jit.script(net).save(str(path))
    return path


@pytest.mark.parametrize(
    ("spec", "problem", "column"),
    [
        ("1,8", "expected '(' and sizes", 0),
        ("(1,8", "expected ',' or ')'", 4),
        ("(1,,8)", "expected a size", 3),
        ("(1,-8)", "expected a size", 3),
        ("(1,8)@f31", "expected a dtype, one of float float32", 6),
        ("(1,8)%nwhc", "expected a format, one of linear nchw", 6),
        ("(1,8)f32", "expected '@dtype', '%format' or the end", 5),
        ("[(1,8);(4,8)]", "expected ';' and the largest shape", 12),
        ("[(1,8);(4,8);(2,8)]", "smallest <= usual <= largest", 18),
        ("[(1,8);(4);(9,8)]", "shapes of one rank", 16),
        ("(99999999999999)", "expected a size of at most", 1),
    ],
)
def test_spec_errors_point_at_the_place(
    spec: str, problem: str, column: int, model: Path, tmp_path: Path
) -> None:
    result = torchtrtc(model, tmp_path / "out.ts", spec)
    assert result.returncode == USAGE
    lines = result.stderr.splitlines()
    assert problem in lines[0]
    assert lines[-2:] == ["  " + spec, "  " + " " * column + "^"]
    assert not (tmp_path / "out.ts").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--min-blok-size=3"], "unknown flag '--min-blok-size'; did you mean '--min-block-size'?"),
        (["--min-block-size=x"], "--min-block-size is 'x', expected an integer"),
        (["--mbs=0"], "--mbs: setting 'min_block_size' is 0, expected an int of at least 1"),
        (["--atol=small"], "--atol is 'small', expected a number"),
        (["--portable=maybe"], "--portable is 'maybe', expected true or false"),
        (["-p", "f17"], "'f17', expected a set of f32, f16, bf16, i8"),
        (["-d", "tpu"], "expected one of auto, cpu, gpu, dla"),
        (["--save-engine=yes"], "--save-engine takes no value"),
        (["--workspace-size"], "--workspace-size needs a value"),
        (["-v", "-w"], "only one of --verbose, --warnings and --info"),
        (["--report=html"], "--report is 'html', expected text or json"),
        (["--calibration-cache-file=a"], "calibration caches are no longer used"),
        ([], "expected INPUT, OUTPUT and input specs, got 0 arguments"),
        (["--check-method-support=forward"], "expected INPUT alone"),
        (["--embed-engine", "a"], "expected ENGINE and OUTPUT"),
    ],
)
def test_usage_errors(words: list[str], problem: str) -> None:
    result = torchtrtc(*words)
    assert result.returncode == USAGE
    assert problem in result.stderr


def test_a_missing_spec_names_the_arguments(model: Path, tmp_path: Path) -> None:
    result = torchtrtc(model, tmp_path / "out.ts")
    assert result.returncode == USAGE
    assert "got 0 input specs, forward takes (x: Tensor)" in result.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = torchtrtc(tmp_path / "none.ts", tmp_path / "out.ts", "(1,8)")
    assert missing.returncode == FAILED
    assert "none.ts': no such file" in missing.stderr
    (tmp_path / "text.ts").write_text("not a model")
    broken = torchtrtc(tmp_path / "text.ts", tmp_path / "out.ts", "(1,8)")
    assert broken.returncode == FAILED
    assert "as a TorchScript module" in broken.stderr


@pytest.mark.parametrize(
    "spec", ["(4,8)", " ( 4 , 8 ) @ F32 ", "(4,8)@FLOAT%linear", "[(1,8);(4,8);(9,8)]@fp32"]
)
def test_compiles(spec: str, net: Net, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    result = torchtrtc(model, out, spec)
    assert result.returncode == DONE, result.stderr
    assert "1 engine" in result.stdout
    assert "WARNING" not in result.stderr
    x = torch.randn(4, 8)
    torch.testing.assert_close(run_compiled(out, x), net(x))


def test_settings_reach_the_compiler(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    words = ["--engine=reference", "--teo", "aten::relu", "--mbs=1", "--report=json"]
    result = torchtrtc(model, out, "(4,8)", *words)
    assert result.returncode == DONE, result.stderr
    report = json.loads(result.stdout)
    assert {engine["plugin"] for engine in report["engines"]} == {"reference"}
    relu = [node for node in report["nodes"] if node["op"].startswith("aten::relu")]
    assert [node["engine"] for node in relu] == [-1]


def test_unsupported_full_compilation_fails(model: Path, tmp_path: Path) -> None:
    words = ["--require-full-compilation", "--torch-executed-op=aten::relu"]
    result = torchtrtc(model, tmp_path / "out.ts", "(4,8)", *words)
    assert result.returncode == FAILED
    assert "aten::relu" in result.stderr
    assert not (tmp_path / "out.ts").exists()


def test_check_method_support(model: Path, tmp_path: Path) -> None:
    yes = torchtrtc("--check-method-support=forward", model)
    assert (yes.returncode, yes.stdout) == (DONE, "every op of forward has a converter\n")

    class Strange(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.svdvals(x)

    torch.jit.script(Strange()).save(str(tmp_path / "strange.ts"))
    no = torchtrtc("--check-method-support=forward", tmp_path / "strange.ts")
    assert no.returncode == FAILED
    assert "aten::linalg_svdvals" in no.stdout


def test_an_engine_can_be_saved_and_embedded(net: Net, model: Path, tmp_path: Path) -> None:
    saved = torchtrtc("--save-engine", model, tmp_path / "net.engine", "(4,8)")
    assert saved.returncode == DONE, saved.stderr
    embedded = torchtrtc("--embed-engine", tmp_path / "net.engine", tmp_path / "out.ts")
    assert embedded.returncode == DONE, embedded.stderr
    x = torch.randn(4, 8)
    torch.testing.assert_close(run_compiled(tmp_path / "out.ts", x), net(x))


def test_a_library_that_is_missing(model: Path, tmp_path: Path) -> None:
    result = torchtrtc("--custom-torch-ops=none.so", model, tmp_path / "out.ts", "(4,8)")
    assert result.returncode == FAILED
    assert "cannot load the library 'none.so'" in result.stderr
