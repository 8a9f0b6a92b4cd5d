"""torchtrtc inspect, verify, diff, strip and cache."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from cli.harness import DONE, FAILED, PROGRAM, USAGE, Net, torchtrtc

DIFFERS = 3
ROOT = Path(__file__).resolve().parents[2]
PLANNED = ROOT / "tests/container/data/control.trt"  # a network and a plan for another machine


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One model as TorchScript, as an exported program and as the bytes of its engine."""
    folder = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    net = Net().eval()
    torch.jit.script(net).save(str(folder / "net.ts"))
    assert torchtrtc(folder / "net.ts", folder / "fast.ts", "(4,8)").returncode == DONE
    saved = torchtrtc("--save-engine", folder / "net.ts", folder / "fast.engine", "(4,8)")
    assert saved.returncode == DONE
    fast = torch_tensorrt.compile(net, inputs=[torch.ones(4, 8)], min_block_size=1)
    torch_tensorrt.save(fast, folder / "fast.pt2")
    return {kind: folder / f"fast.{kind}" for kind in ("ts", "engine", "pt2")}


# ---- the command line ----


@pytest.mark.parametrize("tool", ["inspect", "verify", "diff", "strip", "cache"])
def test_help_is_what_the_docs_say(tool: str) -> None:
    page = (ROOT / "docs/cli.md").read_text()
    shown = torchtrtc(tool, "-h")
    assert shown.returncode == DONE
    block = "".join(f"    {line}\n" if line else "\n" for line in shown.stdout.splitlines())
    assert block in page


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["inspect"], "inspect: expected files, got 0 arguments; inspect -h explains them"),
        (["verify"], "verify: expected files"),
        (["diff", "a"], "diff: expected two files, got 1 argument"),
        (["strip", "a", "b"], "strip: expected plans or network, INPUT and OUTPUT"),
        (["strip", "weights", "a", "b"], "strip: got 'weights', expected plans or network"),
        (["cache"], "cache: expected ls, info or rm"),
        (["cache", "rm"], "cache: expected ls, info, or rm with keys or all"),
        (["cache", "purge"], "cache: expected ls, info, or rm with keys or all"),
    ],
)
def test_usage_errors(words: list[str], problem: str) -> None:
    result = torchtrtc(*words)
    assert result.returncode == USAGE
    assert problem in result.stderr


def test_a_model_with_a_tools_name_still_compiles(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "inspect").write_bytes((files["ts"].parent / "net.ts").read_bytes())
    command = [str(PROGRAM), "./inspect", "out.ts", "(4,8)"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == DONE
    assert (tmp_path / "out.ts").exists()


# ---- inspect and verify ----


@pytest.mark.parametrize("kind", ["ts", "engine", "pt2"])
def test_inspect(kind: str, files: dict[str, Path]) -> None:
    shown = torchtrtc("inspect", files[kind])
    assert shown.returncode == DONE, shown.stdout
    assert re.search(r"input \S+: f32\[4, 8\]", shown.stdout)
    assert re.search(r"output \S+: f32\[4, 4\]", shown.stdout)
    assert re.search(r"network: \d+ layers, \d+ bytes of weights", shown.stdout)
    assert "plan openvino" in shown.stdout
    assert shown.stdout.count("  engine ") == 1


def test_inspect_needs_no_engine() -> None:
    shown = torchtrtc("inspect", PLANNED)
    assert shown.returncode == DONE
    assert "plan tensorrt_rtx 1.2.0 for sm_89, 600 bytes" in shown.stdout


@pytest.mark.parametrize("kind", ["ts", "engine", "pt2"])
def test_verify(kind: str, files: dict[str, Path], tmp_path: Path) -> None:
    sound = torchtrtc("verify", files[kind])
    assert sound.returncode == DONE
    assert f"{files[kind]}: sound, " in sound.stdout
    changed = bytearray(files[kind].read_bytes())
    place = changed.index(b'"preferred_engine"')  # inside of the engine
    changed[place] ^= 1
    (tmp_path / "changed").write_bytes(changed)
    (tmp_path / "cut").write_bytes(files[kind].read_bytes()[:-100])
    (tmp_path / "text").write_text("no model")
    damaged = torchtrtc("verify", *sorted(tmp_path.iterdir()), tmp_path / "none", files[kind])
    assert damaged.returncode == FAILED
    lines = damaged.stdout.splitlines()
    assert len(lines) == 5
    assert "digest" in lines[0] or "CRC" in lines[0]
    assert "none': No such file" in lines[3]
    assert "neither an engine nor an archive" in lines[2]
    assert lines[4].startswith(f"{files[kind]}: sound, ")


def test_names_do_not_reach_the_terminal(files: dict[str, Path], tmp_path: Path) -> None:
    data = files["ts"].read_bytes()
    changed = data.replace(b"/version", b"/ver\x1b[2J")
    assert changed != data
    (tmp_path / "changed.ts").write_bytes(changed)
    shown = torchtrtc("inspect", tmp_path / "changed.ts")
    assert "\x1b" not in shown.stdout + shown.stderr


def records(path: Path) -> dict[str, bytes]:
    """What PyTorch reads of an archive: contents by name."""
    if not path.read_bytes().startswith(b"PK"):
        return {"": path.read_bytes()}
    reader = torch._C.PyTorchFileReader(str(path))
    return {name: reader.get_record(name) for name in reader.get_all_records()}


def mutant(whole: bytes, chosen: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(chosen.choice([1, 1, 1, 2, 4])):
        at = chosen.randrange(len(data))
        length = chosen.randrange(1, 64)
        match chosen.randrange(6):
            case 0 | 1:
                data[at] ^= 1 << chosen.randrange(8)
            case 2:
                data[at : at + 4] = chosen.choice([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"])
            case 3:
                # The directory, where the archive's numbers are.
                at = max(0, len(data) - chosen.randrange(1, 4000))
                data[at] = chosen.randrange(256)
            case 4:
                del data[at : at + length]
            case _:
                data[at:at] = data[at : at + length]
        if not data:
            break
    return bytes(data)


def test_mutants_are_flagged_or_equal(
    files: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """No damage ends the program, and what it calls sound has the same contents."""
    count = 3000 if request.config.getoption("--long") else 300
    chosen = random.Random(0)
    kinds = [(kind, files[kind].read_bytes(), records(files[kind])) for kind in files]
    wrong, sound, flagged = [], 0, 0
    for start in range(0, count, 100):
        batch = {}
        for i in range(start, start + 100):
            _, whole, expected = kinds[i % len(kinds)]
            path = tmp_path / f"{i}"
            path.write_bytes(mutant(whole, chosen))
            batch[path] = expected
        result = torchtrtc("verify", *batch)
        assert result.returncode == FAILED, result.stderr
        lines = result.stdout.splitlines()
        for path, expected in batch.items():
            told = [line for line in lines if line.startswith(f"{path}: ")]
            assert len(told) == 1, path
            if told[0].startswith(f"{path}: sound"):
                sound += 1
                if records(path) != expected:
                    wrong.append(path)
            else:
                flagged += 1
            path.unlink()
    print(f"{count} mutants: {flagged} flagged, {sound} sound")
    assert not wrong
    assert flagged > count // 2


def test_flipped_bits_find_a_reader_without_checksums(
    files: dict[str, Path], tmp_path: Path
) -> None:
    """PyTorch's own reader is such a one."""
    chosen, expected, wrong = random.Random(1), records(files["ts"]), 0
    for _ in range(100):
        changed = bytearray(files["ts"].read_bytes())
        changed[chosen.randrange(len(changed))] ^= 1 << chosen.randrange(8)
        (tmp_path / "changed").write_bytes(changed)
        try:
            wrong += records(tmp_path / "changed") != expected
        except (RuntimeError, UnicodeDecodeError):
            continue
    assert wrong > 0


# ---- diff ----


def test_diff(files: dict[str, Path], tmp_path: Path) -> None:
    same = torchtrtc("diff", files["ts"], files["ts"])
    assert (same.returncode, same.stdout) == (DONE, "")
    words = ["--save-engine", files["ts"].parent / "net.ts", tmp_path / "wide.engine", "(7,8)"]
    assert torchtrtc(*words).returncode == DONE
    other = torchtrtc("diff", files["engine"], tmp_path / "wide.engine")
    assert other.returncode == DIFFERS
    assert re.search(r"- input \S+: f32\[4, 8\]", other.stdout)
    assert re.search(r"\+ input \S+: f32\[7, 8\]", other.stdout)
    none = torchtrtc("diff", files["engine"], files["ts"].parent / "net.ts")
    assert (none.returncode, none.stdout) == (DIFFERS, "1 engine -> 0 engines\n")
    missing = torchtrtc("diff", files["engine"], tmp_path / "none")
    assert missing.returncode == FAILED


# ---- strip ----


def test_strip_plans(files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.ts"
    result = torchtrtc("strip", "plans", files["ts"], out)
    assert result.returncode == DONE, result.stderr
    assert "    plan " not in torchtrtc("inspect", out).stdout
    differences = torchtrtc("diff", files["ts"], out)
    assert differences.returncode == DIFFERS
    assert [line[:8] for line in differences.stdout.splitlines()[1:]] == ["  - plan"]
    run = "import sys, torch, torch_tensorrt; m = torch.jit.load(sys.argv[1]); m(torch.ones(4, 8))"
    subprocess.run([sys.executable, "-c", run, str(out)], check=True)


def test_strip_network(files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.engine"
    assert torchtrtc("strip", "network", PLANNED, out).returncode == DONE
    shown = torchtrtc("inspect", out).stdout
    assert "network: none" in shown
    assert shown.count("plan ") == 1
    nothing = torchtrtc("strip", "network", files["ts"], out)
    assert nothing.returncode == FAILED
    assert "is built from its network wherever it is loaded" in nothing.stderr
    nothing = torchtrtc("strip", "plans", out, tmp_path / "empty.engine")
    assert nothing.returncode == FAILED
    assert "nothing would be left" in nothing.stderr
    assert not (tmp_path / "empty.engine").exists()


# ---- cache ----


def test_cache(files: dict[str, Path], tmp_path: Path) -> None:
    folder = f"--folder={tmp_path / 'cache'}"
    model = files["ts"].parent / "net.ts"
    words = [f"--engine-cache-dir={tmp_path / 'cache'}", model, tmp_path / "out.ts"]
    for size in (2, 3):
        assert torchtrtc(*words, f"({size},8)").returncode == DONE
    rows = [line.split() for line in torchtrtc("cache", "ls", folder).stdout.splitlines()]
    assert len(rows) == 2
    assert all(re.fullmatch("openvino-[0-9a-f]{64}", row[0]) for row in rows)
    info = torchtrtc("cache", "info", folder)
    assert info.returncode == DONE
    assert re.search(r"cache: 2 engines, \d+ bytes of at most 4294967296", info.stdout)
    assert torchtrtc("cache", "rm", folder, rows[0][0]).returncode == DONE
    assert rows[1][0] in torchtrtc("cache", "ls", folder).stdout
    again = torchtrtc("cache", "rm", folder, rows[0][0])
    assert again.returncode == FAILED
    assert f"no engine '{rows[0][0]}'" in again.stdout
    assert torchtrtc("cache", "rm", folder, "all").returncode == DONE
    assert torchtrtc("cache", "ls", folder).stdout == ""


def test_a_cache_that_others_may_write_to_is_not_used(
    files: dict[str, Path], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    words = [f"--engine-cache-dir={cache}", files["ts"].parent / "net.ts", tmp_path / "out.ts"]
    result = torchtrtc(*words, "(2,8)")
    assert result.returncode == DONE
    assert "may be written to by others" in result.stderr
    assert not list(cache.iterdir())
    info = torchtrtc("cache", "info", f"--folder={cache}")
    assert info.returncode == FAILED
    assert "not used: " in info.stdout
