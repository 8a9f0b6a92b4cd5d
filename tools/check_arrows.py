"""Checks who may include or import whom (docs/architecture.md) and names every line that breaks it.

    check_arrows.py [root]     prints 'file:line: what is wrong', exit 1 if anything is

`core` includes only the standard library and a JSON library; `engines/x` includes core and its own
vendor; `runtime` and `compiler` include core and libtorch; api, cli and the Python bindings sit on
top. No stage of the compiler includes another: only its driver knows all.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

TORCH = ("torch/", "ATen/", "c10/", "caffe2/")
JSON = ("nlohmann/",)
PYBIND = ("pybind11/", "Python.h")
# Folder below engines/ -> the headers of its vendor.
VENDORS = {
    "openvino": ("openvino/",),
    "tensorrt": ("NvInfer", "NvOnnxParser", "cuda_runtime", "cuda.h"),
}
ENGINES_ON_TORCH = ("reference", "conformance")
STAGES = ("capture", "lowering", "partitioning", "conversion", "assembly")

# Folder -> prefixes (below src/ and include/, or external) that its files may include beside the
# standard library and POSIX. The longest matching folder counts.
ALLOWED = {
    "include/torch_tensorrt": ("torch_tensorrt/", *TORCH),
    # For those who extend the compiler rather than use it.
    "include/torch_tensorrt/converter.h": ("compiler/conversion/op_context.h",),
    "src/core": ("core/", *JSON),
    "src/runtime": ("core/", "runtime/", *TORCH, *JSON),
    # The assembly stage makes the runtime's engines.
    "src/compiler": ("core/", "compiler/", "runtime/", *TORCH, *JSON),
    "src/api": ("torch_tensorrt/", "api/", "compiler/", "runtime/", "core/", *TORCH, *JSON),
    "src/cli": ("torch_tensorrt/", "cli/", "api/", "compiler/", "runtime/", "core/", *TORCH, *JSON),
    "src/engines": (),
    "python/csrc": (
        "torch_tensorrt/",
        "csrc/",
        "api/",
        "compiler/",
        "runtime/",
        "core/",
        *TORCH,
        *JSON,
        *PYBIND,
    ),
    "tests/unit": (
        "tests/unit/",
        # How plans run is tested on doubles of the GPU and of TensorRT.
        "engines/tensorrt/",
        "engines/openvino/threads.h",
        "torch_tensorrt/",
        "api/",
        "compiler/",
        "runtime/",
        "core/",
        *TORCH,
        *JSON,
    ),
    "tests/engines": ("core/",),
    # Artifacts, files and caches are tested without torch.
    "tests/container": ("container/", "unit/", "core/"),
    "tests/fuzz": ("container/",),
    "examples": ("examples/", "torch_tensorrt/", *TORCH),
}

# Python: the frontends know the shared package and the runtime, never each other; the runtime
# knows no frontend.
FRONTENDS = ("dynamo", "fx", "ts")
VENDOR_MODULES = ("openvino", "tensorrt", "tensorrt_rtx")

# Whether an engine takes a node is answered by converting it; engines are stitched in where the
# segments were.
STAGE_ARROWS = {
    ("partitioning", "conversion"),
    ("assembly", "conversion"),
    ("assembly", "partitioning"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def allowed_in(path: PurePosixPath) -> tuple[str, ...] | None:
    """The prefixes that a C++ file may include, or None where every include is fine."""
    parts = path.parts
    if parts[:2] == ("src", "engines") and len(parts) > 3:
        engine = parts[2]
        on_torch = TORCH if engine in ENGINES_ON_TORCH else ()
        return ("core/", f"engines/{engine}/", *JSON, *VENDORS.get(engine, ()), *on_torch)
    for folder in sorted(ALLOWED, key=len, reverse=True):
        if path.is_relative_to(folder):
            return ALLOWED[folder]
    return None


def is_standard(header: str) -> bool:
    """<vector>, and POSIX headers such as <dlfcn.h> or <sys/stat.h>: no folder, no vendor's."""
    others = [*PYBIND, *(prefix for prefixes in VENDORS.values() for prefix in prefixes)]
    return "/" not in header.removeprefix("sys/") and not header.startswith(tuple(others))


def project_name(path: PurePosixPath, header: str, root: Path) -> str:
    """A header's name from the include folders: "error.h" in src/core/log.h is core/error.h."""
    beside = root / path.parent / header
    if not beside.exists():
        return header
    name = beside.resolve().relative_to(root.resolve()).as_posix()
    return re.sub("^(src|include|python)/", "", name)


def stage_of(name: str) -> str | None:
    """compiler/lowering/fold.h -> lowering"""
    parts = name.split("/")
    return parts[1] if parts[0] == "compiler" and len(parts) > 2 and parts[1] in STAGES else None


def cpp_problem(path: PurePosixPath, header: str, root: Path) -> str | None:
    """What is wrong with this include in this file, or None."""
    header = project_name(path, header, root)
    allowed = allowed_in(path)
    if allowed is not None and not is_standard(header) and not header.startswith(allowed):
        return f"{path.parent} may not include {header}"
    stage, other = stage_of(path.as_posix().removeprefix("src/")), stage_of(header)
    if stage and other and stage != other and (stage, other) not in STAGE_ARROWS:
        return f"stage {stage} may not include stage {other}: only the driver knows all stages"
    return None


def check_cpp(root: Path) -> Iterator[str]:
    for folder in (
        "include",
        "src",
        "python/csrc",
        "tests/unit",
        "tests/container",
        "tests/fuzz",
        "examples",
    ):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            path = PurePosixPath(file.relative_to(root).as_posix())
            for number, line in enumerate(file.read_text().splitlines(), start=1):
                match = INCLUDE.match(line)
                if match and (problem := cpp_problem(path, match[1], root)):
                    yield f"{path}:{number}: {problem}"


def imported_modules(node: ast.AST, module: str, is_package: bool) -> list[str]:
    """Full names of what an import statement of `module` imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parents = module.split(".")
        parents = parents[: len(parents) - node.level + is_package]
        base = ".".join([*parents, *([base] if base else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def python_problem(module: str, imported: str) -> str | None:
    """What is wrong with importing `imported` in `module`, or None."""
    parts, other = module.split("."), imported.split(".")
    if other[0] in VENDOR_MODULES and parts[1:3] != ["engines", other[0].removesuffix("_rtx")]:
        return f"vendor module {other[0]} belongs under torch_tensorrt/engines/"
    if other[0] != "torch_tensorrt" or len(other) < 2 or len(parts) < 2:
        return None
    if parts[1] in (*FRONTENDS, "runtime") and other[1] in FRONTENDS and other[1] != parts[1]:
        return f"torch_tensorrt.{parts[1]} may not import torch_tensorrt.{other[1]}"
    return None


def check_python(root: Path) -> Iterator[str]:
    source = root / "python"
    for file in sorted((source / "torch_tensorrt").rglob("*.py")):
        is_package = file.name == "__init__.py"
        name = file.parent if is_package else file.with_suffix("")
        module = ".".join(name.relative_to(source).parts)
        path = file.relative_to(root).as_posix()
        try:
            tree = ast.parse(file.read_text())
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"
            continue
        for node in ast.walk(tree):
            for imported in imported_modules(node, module, is_package):
                if problem := python_problem(module, imported):
                    yield f"{path}:{getattr(node, 'lineno', 0)}: {problem}"


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    problems = [*check_cpp(root), *check_python(root)]
    print(*problems, f"{len(problems)} broken arrows", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
