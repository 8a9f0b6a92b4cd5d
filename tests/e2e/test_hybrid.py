"""PyTorch's OpenMP threads beside an engine's: they sleep where the two take turns.

Threads show it, as times do not hold on a busy machine: the team that keeps libgomp from spinning
is there, or not. Each case runs in a process of its own.
"""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import os, sys
    import torch, torch_tensorrt
    from torch import nn

    class Net(nn.Module):
        def forward(self, x):
            x = torch.relu(x @ x)
            x = torch.sort(x, dim=0).values
            return torch.tanh(x @ x)

    kept = sys.argv[1].split(",") if sys.argv[1] else []
    x = torch.rand(256, 256)
    fast = torch_tensorrt.compile(
        torch.jit.trace(Net().eval(), (x,)), ir="ts", inputs=[x], engine="openvino",
        min_block_size=1, torch_executed_ops=set(kept), cache_built_engines=False)
    if len(sys.argv) > 2:
        torch.jit.save(fast, sys.argv[2])
        sys.exit()
    fast(x)
    torch.rand(512, 512).mul(2)
    print(len(os.listdir("/proc/self/task")))
"""


def threads(*arguments: str, program: str = PROGRAM, **environment: str) -> int:
    unset = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    base = {key: value for key, value in os.environ.items() if key not in unset}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env=base | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout or 0)


TEAM = len(os.sched_getaffinity(0)) + 1


@pytest.mark.skipif(
    os.cpu_count() != len(os.sched_getaffinity(0)), reason="the process may not use all cores"
)
def test_where_ops_stay_in_pytorch_its_threads_sleep() -> None:
    calm = threads("aten::sort")
    assert calm - threads("aten::sort", GOMP_SPINCOUNT="100") == TEAM
    assert calm - threads("aten::sort", OMP_WAIT_POLICY="active") == TEAM


def test_where_all_is_one_engine_nothing_changes() -> None:
    assert threads("") == threads("", GOMP_SPINCOUNT="100")


LOADED = """
    import os, sys
    import torch, torch_tensorrt
    fast = torch.jit.load(sys.argv[1])
    fast(torch.rand(256, 256))
    torch.rand(512, 512).mul(2)
    print(len(os.listdir("/proc/self/task")))
"""


def test_a_loaded_module_remembers(tmp_path: object) -> None:
    file = f"{tmp_path}/hybrid.ts"
    threads("aten::sort", file)
    calm = threads(file, program=LOADED)
    assert calm - threads(file, program=LOADED, GOMP_SPINCOUNT="100") == TEAM
