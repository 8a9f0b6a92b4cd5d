"""Lists the errors that no test mentions: exit 1 if there are some that no exception explains.

An error is a statement that throws, raises or refuses with a text of its own. It counts as tested
where WINDOW characters in a row of it, that no other error has, occur in the sources of the tests:
", expected one of" proves nothing. What may stay untested is in untested_errors.txt, a line each
with its reason; a line that explains nothing fails too, so that the list only shrinks.

    untested_errors.py [--root FOLDER]            check
    untested_errors.py [--root FOLDER] --list     print each error, tested or not
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = "tools/untested_errors.txt"
# As much text as is not in a test by chance; a shorter text must be there whole.
WINDOW = 14
SHORTEST = 6

STRING = r'"(?:[^"\\\n]|\\.)*"'
KINDS = "invalid_argument|unsupported|incompatible|unavailable"
# The statement from a call that makes an error to its semicolon; strings may hold semicolons.
CPP_ERROR = re.compile(
    rf"(?:\bthrow\b|\b(?:core::)?(?:{KINDS})\(|\brefuse\(|\brefusal\()"
    rf"(?:{STRING}|'(?:[^'\\]|\\.)'|//[^\n]*|[^;\"'])*;"
)


@dataclass(frozen=True)
class ErrorSite:
    """A place in the sources that makes an error, with the literal pieces of its text."""

    file: str
    line: int
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its longest literal piece, by which exceptions name it."""
        return max(self.pieces, key=len)


def squeeze(text: str) -> str:
    """Blanks made one."""
    return re.sub(r"\s+", " ", text)


def cpp_sites(path: Path, file: str) -> Iterator[ErrorSite]:
    """Errors of a C++ file, but for those that ask for a report."""
    source = path.read_text()
    for found in CPP_ERROR.finditer(source):
        statement = found.group()
        if "internal_error" in statement:
            continue
        # Neighbouring literals are one.
        joined = re.sub(r'"\s*\n\s*"', "", statement)
        literals = [s[1:-1] for s in re.findall(STRING, joined)]
        pieces = tuple(squeeze(re.sub(r"\\(.)", r"\1", s)) for s in literals)
        if pieces and len(max(pieces, key=len)) >= SHORTEST:
            yield ErrorSite(file, source[: found.start()].count("\n") + 1, pieces)


def python_sites(path: Path, file: str) -> Iterator[ErrorSite]:
    """Errors of a Python file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        pieces = tuple(
            squeeze(n.value)
            for n in ast.walk(node.exc)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        )
        if pieces and len(max(pieces, key=len)) >= SHORTEST:
            yield ErrorSite(file, node.lineno, pieces)


def error_sites(root: Path) -> list[ErrorSite]:
    """All errors of the sources, in order."""
    sites: list[ErrorSite] = []
    for folder, suffixes in (("src", "cpp h"), ("python", "cpp h py")):
        paths = [p for s in suffixes.split() for p in (root / folder).rglob(f"*.{s}")]
        for path in sorted(paths):
            file = path.relative_to(root).as_posix()
            if "/conformance/" in file or "/template/" in file:
                continue
            sites.extend(
                python_sites(path, file) if path.suffix == ".py" else cpp_sites(path, file)
            )
    return sites


def tests_text(root: Path) -> str:
    """The tests' sources; escapes of regular expressions left out, neighbouring strings joined."""
    paths = [p for s in ("py", "cpp", "h") for p in (root / "tests").rglob(f"*.{s}")]
    text = "\n".join(path.read_text() for path in sorted(paths))
    text = re.sub(r'["\']\s*\n\s*[rf]*["\']', "", text)
    return squeeze(text.replace("\\", ""))


def windows(site: ErrorSite) -> Iterator[tuple[str, str]]:
    """Pieces of its text that are long enough to tell errors apart, and where each is from."""
    bare = [piece.replace("\\", "").strip() for piece in site.pieces]
    long = [piece for piece in bare if len(piece) >= WINDOW]
    for piece in long:
        yield from ((piece[i : i + WINDOW], piece) for i in range(len(piece) - WINDOW + 1))
    if not long:
        whole = max(bare, key=len)
        yield whole, whole


def owned_windows(sites: list[ErrorSite]) -> dict[ErrorSite, set[str]]:
    """Of each site those that no other text has; errors of one and the same text share a test."""
    sources: dict[str, set[str]] = {}
    for site in sites:
        for window, piece in windows(site):
            sources.setdefault(window, set()).add(piece)
    return {site: {w for w, _ in windows(site) if len(sources[w]) == 1} for site in sites}


def is_tested(owned: set[str], tests: str) -> bool:
    """Does a test mention one of these?"""
    return any(window in tests for window in owned)


def read_exceptions(path: Path) -> dict[tuple[str, str], str]:
    """(file, longest piece) -> reason, from lines `file | text | reason`."""
    table: dict[tuple[str, str], str] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            file, text, reason = (part.strip() for part in line.split(" | "))
            table[file, text] = reason
    return table


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    tests = tests_text(arguments.root)
    exceptions = read_exceptions(arguments.root / EXCEPTIONS)
    used: set[tuple[str, str]] = set()
    problems = 0
    sites = error_sites(arguments.root)
    untested = 0
    for site, owned in owned_windows(sites).items():
        key = (site.file, site.text.replace("|", "/").strip())
        tested = is_tested(owned, tests)
        untested += not tested
        if arguments.list:
            print(f"{site.file}:{site.line}: {'tested' if tested else 'UNTESTED'}: {key[1]}")
        elif not tested and not exceptions.get(key):
            print(f"{site.file}:{site.line}: no test mentions '{key[1]}'")
            problems += 1
        if not tested:
            used.add(key)
    for file, text in exceptions.keys() - used:
        print(f"{EXCEPTIONS}: '{text}' of {file} is tested, or no longer there")
        problems += 1
    print(f"{len(sites)} errors, {untested} of them in no test, {problems} problems")
    return 1 if problems and not arguments.list else 0


if __name__ == "__main__":
    sys.exit(main())
