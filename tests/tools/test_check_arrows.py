"""A planted violation of the arrows is named with its file and line."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_arrows.py"


def check(root: Path, files: dict[str, str]) -> tuple[int, list[str]]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([sys.executable, TOOL, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("src/core/shape.h", "<ATen/ATen.h>"),
        ("src/core/shape.h", '"runtime/engine.h"'),
        ("src/runtime/engine.cpp", '"compiler/driver.h"'),
        ("src/runtime/engine.cpp", '"../compiler/driver.h"'),
        ("src/engines/openvino/build.cpp", '"engines/reference/run.h"'),
        ("src/engines/openvino/build.cpp", '"compiler/driver.h"'),
        ("src/engines/openvino/build.cpp", "<torch/script.h>"),
        ("src/compiler/driver.cpp", "<openvino/openvino.hpp>"),
        ("src/compiler/lowering/fold.cpp", '"compiler/conversion/table.h"'),
        ("src/engines/reference/run.cpp", "<NvInfer.h>"),
        ("include/torch_tensorrt/logging.h", '"core/log.h"'),
        ("examples/03_cpp_deploy/main.cpp", '"core/log.h"'),
    ],
)
def test_a_broken_include_is_named(tmp_path: Path, file: str, include: str) -> None:
    (tmp_path / "src/compiler").mkdir(parents=True)
    (tmp_path / "src/compiler/driver.h").write_text("#pragma once\n")
    (tmp_path / "src/runtime").mkdir()
    status, lines = check(tmp_path, {file: f"#include <vector>\n\n#include {include}\n"})
    assert status == 1
    assert lines[0].startswith(f"{file}:3: ")
    assert lines[-1] == "1 broken arrows"


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("torch_tensorrt/ts/_compiler.py", "from torch_tensorrt.dynamo import compile"),
        ("torch_tensorrt/ts/_compiler.py", "from ..fx import lower"),
        ("torch_tensorrt/ts/__init__.py", "from .. import dynamo"),
        ("torch_tensorrt/runtime/_module.py", "import torch_tensorrt.dynamo"),
        ("torch_tensorrt/_compile.py", "import openvino"),
    ],
)
def test_a_broken_import_is_named(tmp_path: Path, file: str, statement: str) -> None:
    status, lines = check(tmp_path, {f"python/{file}": f"import torch\n{statement}\n"})
    assert status == 1
    assert lines[0].startswith(f"python/{file}:2: ")


def test_what_the_design_allows_passes(tmp_path: Path) -> None:
    status, lines = check(
        tmp_path,
        {
            "src/core/log.h": '#include <sys/stat.h>\n#include "core/text.h"\n',
            "src/core/settings.h": "#include <nlohmann/json.hpp>\n",
            "src/core/log.cpp": '#include "log.h"\n#include <dlfcn.h>\n',
            "src/runtime/engine.h": '#include <torch/custom_class.h>\n#include "core/log.h"\n',
            "src/engines/openvino/build.cpp": "#include <openvino/openvino.hpp>\n",
            "src/engines/reference/run.cpp": "#include <ATen/ATen.h>\n",
            "src/compiler/driver.cpp": '#include "compiler/lowering/fold.h"\n',
            "python/csrc/module.cpp": '#include <torch/torch.h>\n#include "compiler/driver.h"\n',
            "python/torch_tensorrt/_compile.py": "from torch_tensorrt import dynamo, ts\n",
            "python/torch_tensorrt/ts/_compiler.py": "from .._input import Input\n",
        },
    )
    assert (status, lines) == (0, ["0 broken arrows"])


def test_the_project_itself_passes() -> None:
    assert subprocess.run([sys.executable, TOOL], check=False).returncode == 0
