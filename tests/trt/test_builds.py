"""Every row of the conformance suite becomes a real TensorRT-RTX engine, on a machine without a
GPU, with the results' types that the Network has."""

import re
import subprocess
from pathlib import Path

import pytest
from torch_tensorrt import _C
from trt.known import REFUSED

CONFORMANCE = Path(_C.__file__).parents[2] / "bin" / "torchtrt_conformance"


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    subprocess.run([CONFORMANCE, "--dump", folder], check=True)
    return folder


def rows() -> list[str]:
    listed = subprocess.run(
        [CONFORMANCE, "--list", "--engine", "reference"], check=True, capture_output=True, text=True
    )
    return sorted(listed.stdout.split())


def refusal(artifact: bytes) -> str | None:
    """Why it is not built; None: it is."""
    try:
        plan = _C.build_plan(artifact, "tensorrt_rtx", "sm_89")
    except NotImplementedError as error:
        return str(error)
    return None if len(plan) > 1000 else "the engine is empty"


@pytest.mark.usefixtures("tensorrt_rtx")
@pytest.mark.parametrize("row", rows())
def test_row_builds(row: str, networks: Path) -> None:
    name = row.replace("/", ".")
    known = next((pattern for pattern in REFUSED if re.fullmatch(pattern, name)), None)
    why = refusal((networks / name).read_bytes())
    assert (why is None) == (known is None), f"{why}, in the list: {known}"
    assert known is None or REFUSED[known] in str(why)
