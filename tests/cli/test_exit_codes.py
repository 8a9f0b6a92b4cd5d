"""How torchtrtc ends: each exit code of docs/cli.md, with one clear message."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from cli.harness import DONE, FAILED, PROGRAM, USAGE, Net, torchtrtc

DIFFERS = 3
DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


class Noise(torch.nn.Module):
    """Two calls differ."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x).add(1).mul(2) + torch.rand_like(x)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models and other files."""
    path = tmp_path_factory.mktemp("exit codes")  # with a blank
    torch.jit.script(Net().eval()).save(str(path / "net.ts"))
    torch.jit.script(Noise()).save(str(path / "noise.ts"))
    torch.save({"a": 1}, path / "dict.pt")
    exported = torch.export.export(Net().eval(), (torch.ones(4, 8),))
    torch.export.save(exported, path / "exported.pt2")
    (path / "text.ts").write_text("not a model")
    (path / "empty.ts").touch()
    (path / "cut.ts").write_bytes((path / "net.ts").read_bytes()[:-100])
    os.mkfifo(path / "pipe.ts")
    return path


def fails(code: int, *words: object) -> str:
    """The one message of a run that ends with `code`."""
    done = torchtrtc(*words)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("torchtrtc: ")
    assert done.stderr.count("torchtrtc: ") == 1
    assert "frame #" not in done.stderr
    return done.stderr.removeprefix("torchtrtc: ")


def test_the_codes_are_documented() -> None:
    shown = torchtrtc("-h").stdout
    block = shown[shown.index("Exit codes:") : shown.index("\n\nFlags")]
    assert "".join(f"    {line}\n" for line in block.splitlines()) in DOCS.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nothing-like-it"], "unknown flag '--nothing-like-it'; -h lists all"),
        (["--mbs=1", "--min-block-size=2"], "given twice: '--mbs=1' and '--min-block-size=2'"),
        (["--atol", "1", "--atol", "1"], "given twice: '--atol' and '--atol'"),
        (["--debug", "--debug=false"], "given twice: '--debug' and '--debug=false'"),
        (["--mbs"], "--mbs needs a value: --mbs=N"),
        (["--mbs="], "--mbs needs a value: --mbs=N"),
        (["--teo", "--mbs=3"], "--teo needs a value: --teo=X"),
        (["--check-method-support="], "--check-method-support needs a value"),
        (["-p", ""], "-p needs a value"),
        (["--debug="], "--debug needs a value: --debug=true|false"),
        (["--mbs=3.5"], "--mbs is '3.5', expected an integer"),
        (["--mbs=99999999999999999999"], "expected an integer"),
        (["--optimization-level", "-2"], "is -2, expected an int in -1..5"),
        (["--atol=-1"], "--atol is '-1', expected a number of at least 0"),
        (["--rtol=nan"], "--rtol is 'nan', expected a number of at least 0"),
        (["--save-engine", "--embed-engine"], "only one of --save-engine, --embed-engine"),
        (["--atol=1", "--no-threshold-check"], "only one of --no-threshold-check and --atol"),
        (["--save-engine", "--report"], "--save-engine compiles no module: --report cannot be"),
        (["--embed-engine", "--rtol=1"], "compiles no module: --atol and --rtol cannot be"),
        (["--", "--mbs=3"], "expected INPUT, OUTPUT and input specs, got 1 argument"),
        (["-", "out.ts"], "INPUT is '-', expected a file: stdin and stdout cannot be used"),
        (["in.ts", "-"], "OUTPUT is '-', expected a file: stdin and stdout cannot be used"),
        (["inspect", "--all", "a.ts"], "inspect: unknown flag '--all'; inspect -h explains"),
        (["info", "all"], "info: expected nothing behind it, got 1 argument"),
        (["cache", "ls", "--folder="], "cache: expected one folder in --folder=FOLDER"),
    ],
)
def test_a_wrong_command_line(words: list[str], message: str) -> None:
    assert message in fails(USAGE, *words)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.ts", "none.ts': no such file"),
        ("", "it is a folder, expected a file of torch.jit.save"),
        ("pipe.ts", "it is no file, expected a file of torch.jit.save"),
        ("dict.pt", "those of torch.save and torch.export.save hold no TorchScript"),
        ("exported.pt2", "those of torch.save and torch.export.save hold no TorchScript"),
        ("text.ts", "text.ts' as a TorchScript module: "),
        ("empty.ts", "empty.ts' as a TorchScript module: "),
        ("cut.ts", "cut.ts' as a TorchScript module: "),
    ],
)
def test_a_bad_input_file(name: str, message: str, folder: Path) -> None:
    assert message in fails(FAILED, folder / name, folder / "out.ts", "(4,8)")
    assert not (folder / "out.ts").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_an_unreadable_file(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes((folder / "net.ts").read_bytes())
    secret.chmod(0)
    assert "Permission denied" in fails(FAILED, secret, tmp_path / "out.ts", "(4,8)")


def test_an_engine_that_is_none(folder: Path) -> None:
    message = fails(FAILED, "--embed-engine", folder / "net.ts", folder / "out.ts")
    assert "cannot embed" in message
    assert "expected a file of torchtrtc --save-engine" in message


def test_what_no_engine_takes(folder: Path) -> None:
    words = ["--require-full-compilation", "--teo=aten::relu"]
    message = fails(FAILED, folder / "net.ts", folder / "out.ts", "(4,8)", *words)
    assert "[partitioning] require_full_compilation is set" in message
    assert "aten::relu at " in message


def test_inputs_that_the_model_does_not_take(folder: Path) -> None:
    message = fails(FAILED, folder / "net.ts", folder / "out.ts", "(4,9)")
    assert "[lowering] aten::linear at " in message
    assert "PyTorch itself stops here" in message


def test_an_engine_that_is_not_here(folder: Path) -> None:
    words = [folder / "net.ts", folder / "out.ts", "(4,8)", "--engine=nope"]
    assert "engines found: " in fails(FAILED, *words)


@pytest.mark.parametrize("mode", [[], ["--save-engine"]])
@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("none/out.ts", "there is no folder '{}/none'; make it first"),
        (".", "it is a folder, expected a file"),
        ("/dev/full", "cannot write '/dev/full': No space left on device"),
    ],
)
def test_an_output_that_cannot_be_written(
    mode: list[str], output: str, message: str, folder: Path
) -> None:
    shown = fails(FAILED, *mode, folder / "net.ts", folder / output, "(4,8)")
    assert message.format(folder) in shown


def test_an_output_without_a_name(folder: Path) -> None:
    assert "is empty" in fails(FAILED, folder / "net.ts", "", "(4,8)")


def test_strip_onto_a_full_device(folder: Path, tmp_path: Path) -> None:
    assert torchtrtc(folder / "net.ts", tmp_path / "fast.ts", "(4,8)").returncode == DONE
    message = fails(FAILED, "strip", "plans", tmp_path / "fast.ts", "/dev/full")
    assert "No space left on device" in message


def test_a_cache_that_is_not_there(tmp_path: Path) -> None:
    message = fails(FAILED, "cache", "ls", f"--folder={tmp_path}/none")
    assert "cache: there is no folder" in message


@pytest.mark.parametrize("words", [["-h"], ["info"]])
def test_a_full_stdout(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED
    assert done.stderr == b"torchtrtc: cannot write to stdout\n"


def test_results_that_differ(folder: Path, tmp_path: Path) -> None:
    def run(model: str, *words: str) -> tuple[int, bool, bool]:
        out = tmp_path / "out.ts"
        out.unlink(missing_ok=True)
        done = torchtrtc(folder / model, out, "(4,8)", *words)
        assert out.exists(), done.stderr
        told = "output 0 differs from PyTorch's by" in done.stderr
        return done.returncode, told, "WARNING" in done.stderr

    assert run("noise.ts") == (DONE, True, True)
    assert run("noise.ts", "--atol=1e-3") == (DIFFERS, True, False)
    assert run("noise.ts", "--rtol=1e-3") == (DIFFERS, True, False)
    assert run("noise.ts", "--rtol=2") == (DONE, False, False)
    assert run("noise.ts", "--atol=4") == (DONE, False, False)
    assert run("noise.ts", "--no-threshold-check") == (DONE, False, False)
    # Lower precisions are compared with given tolerances only.
    assert run("noise.ts", "-p", "bf16") == (DONE, False, False)
    assert run("noise.ts", "-p", "bf16", "--atol=1e-3") == (DIFFERS, True, False)
    assert run("net.ts", "-p", "bf16", "--atol=0.1") == (DONE, False, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_the_old_file(
    number: signal.Signals, folder: Path, tmp_path: Path
) -> None:
    out, library = tmp_path / "out.ts", tmp_path / "pipe.so"
    out.write_text("old")
    os.mkfifo(library)  # the program waits for a writer as it opens this
    command = [PROGRAM, f"--custom-torch-ops={library}", folder / "net.ts", out, "(4,8)"]

    def heed() -> None:
        signal.signal(number, signal.SIG_DFL)  # a shell's background jobs ignore some

    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=heed) as process:
        try:
            time.sleep(1)
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(timeout=20) == -number  # in a shell: 128 + number
        finally:
            process.kill()
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.ts", "pipe.so"]


def test_what_follows_two_dashes_is_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "-net.ts").write_bytes((folder / "net.ts").read_bytes())
    for words in (["--", "-net.ts", "-out.ts", "(4,8)"], ["inspect", "--", "-out.ts"]):
        done = subprocess.run(
            [PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == DONE, done.stderr


def test_paths_with_blanks_and_other_letters(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "größe 1 'x'.ts"
    assert " " in str(folder)
    assert torchtrtc(folder / "net.ts", out, "(4,8)").returncode == DONE
    assert torchtrtc("verify", out).returncode == DONE


def test_a_file_as_stdin_can_be_read(folder: Path, tmp_path: Path) -> None:
    with (folder / "net.ts").open("rb") as stdin:
        command = [PROGRAM, "/dev/stdin", tmp_path / "out.ts", "(4,8)"]
        assert subprocess.run(command, stdin=stdin, check=False).returncode == DONE
