"""Each error has a test that mentions its text, or an exception that says why not."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "untested_errors.py"


def check(root: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, TOOL, "--root", root], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_every_error_has_a_test_or_an_exception() -> None:
    code, lines = check(ROOT)
    assert code == 0, "\n".join(lines)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CPP = """
void f(int x) {
  if (x) throw core::unsupported("[runtime] x is ", x, ", expected; a bird "
                                 "in the hand");
  throw;
}
"""
PYTHON = 'def f(x):\n    raise ValueError(f"x is {x}, expected a fish in the sea")\n'


def test_errors_without_a_test_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"src/a.cpp": CPP, "python/b.py": PYTHON, "tests/t.py": ""})
    code, lines = check(tmp_path)
    assert code == 1
    assert lines == [
        "src/a.cpp:3: no test mentions ', expected; a bird in the hand'",
        "python/b.py:2: no test mentions ', expected a fish in the sea'",
        "2 errors, 2 of them in no test, 2 problems",
    ]


def test_a_part_of_the_text_in_a_test_is_enough(tmp_path: Path) -> None:
    tests = 'match=r"x is \\d+, expected; a bird"\nmatch="expected a fish "\n    "in the"\n'
    write(tmp_path, {"src/a.cpp": CPP, "python/b.py": PYTHON, "tests/t.py": tests})
    assert check(tmp_path) == (0, ["2 errors, 0 of them in no test, 0 problems"])


def test_an_exception_needs_a_reason_and_a_use(tmp_path: Path) -> None:
    tests = 'match="expected a fish in the sea"'
    table = """# file | text | reason
src/a.cpp | , expected; a bird in the hand | no bird here
python/b.py | , expected a fish in the sea | no fish here
"""
    write(tmp_path, {"src/a.cpp": CPP, "python/b.py": PYTHON, "tests/t.py": tests})
    write(tmp_path, {"tools/untested_errors.txt": table})
    code, lines = check(tmp_path)
    assert code == 1
    assert lines[0].endswith(
        "', expected a fish in the sea' of python/b.py is tested, or no longer there"
    )
    assert len(lines) == 2
