"""PyTorch's OpenMP threads beside an engine's: they sleep where the two take turns.

Threads show it, as times do not hold on a busy machine: the team that keeps libgomp from spinning
is there, or not. Each case runs in a process of its own.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

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


def test_a_loaded_module_remembers(tmp_path: Path) -> None:
    file = f"{tmp_path}/hybrid.ts"
    threads("aten::sort", file)
    calm = threads(file, program=LOADED)
    assert calm - threads(file, program=LOADED, GOMP_SPINCOUNT="100") == TEAM


LATE_THREADS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct start { void* (*run)(void*); void* argument; };

static void* late(void* given) {
  struct start start = *(struct start*)given;
  free(given);
  usleep(300000);
  return start.run(start.argument);
}

typedef int (*create_t)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

int pthread_create(
    pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*), void* argument) {
  create_t create = (create_t)dlsym(RTLD_NEXT, "pthread_create");
  struct start* start = malloc(sizeof *start);
  *start = (struct start){run, argument};
  return create(thread, how, late, start);
}
"""


def test_loading_waits_for_the_team(tmp_path: Path) -> None:
    """What its thread does with PyTorch must be over before the process may end."""
    file, late = str(tmp_path / "hybrid.ts"), tmp_path / "late.so"
    (tmp_path / "late.c").write_text(LATE_THREADS)
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "late.c", "-o", late, "-ldl"], check=True)
    threads("aten::sort", file)
    loaded = """
        import os, sys
        import torch, torch_tensorrt
        torch.jit.load(sys.argv[1])
        print(len(os.listdir("/proc/self/task")))
    """
    calm = threads(file, program=loaded, LD_PRELOAD=str(late))
    spinning = threads(file, program=loaded, LD_PRELOAD=str(late), GOMP_SPINCOUNT="100")
    # PyTorch's own first op of several threads makes a team too, of the thread that waits.
    assert calm - spinning >= TEAM
