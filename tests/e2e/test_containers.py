"""Lists and dicts that a model writes: what is read is what was written last."""

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close, assert_one_engine
from torch import nn

X = torch.linspace(-1, 1, 6).reshape(2, 3)


class Append(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        first = torch.cat(seen, 0).sum() * len(seen)
        seen.append(x + 1)
        return torch.cat(seen, 0) * len(seen) + first


class AppendInUnrolledLoop(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        for i in range(3):
            seen.append(torch.relu(seen[-1]) + i)
        seen.pop(0)
        return torch.stack(seen)


class Extend(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        seen += [x * 2, x * 3]
        seen.insert(1, torch.tanh(x))
        return torch.cat(seen)


class SetItem(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shift = [1, 2]
        if x.shape[0] == 2:
            shift[0] = 0
        return torch.roll(torch.relu(x), shift, [0, 1])


class Dict(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        seen: dict[str, torch.Tensor] = {}
        seen["a"] = torch.relu(x)
        seen["b"] = seen["a"] + 1
        seen["a"] = seen["b"] * 2
        return seen


class Alias(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        seen = [x]
        same = seen
        same.append(x * 3)
        return torch.cat(seen, 0), same


class AppendInBranch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        if bool(x.sum() > 0):
            seen.append(x * 2)
        return torch.cat(seen, 0) + len(seen)


class AppendInLoop(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [x]
        while seen[-1].abs().max() < 10:
            seen.append(seen[-1] * 3)
        return torch.cat(seen, 0) * len(seen)


class Nested(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = [x]
        outer = [inner]
        outer[0].append(x + 1)
        inner.append(x + 2)
        return torch.cat(inner, 0) + len(outer[0])


class InDict(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = [x]
        by_name: dict[str, list[torch.Tensor]] = {"a": inner}
        by_name["a"].append(x + 1)
        return torch.cat(inner, 0) * len(inner)


FOLLOWED = [Append, AppendInUnrolledLoop, Extend, SetItem, Dict, Alias]
OTHERS = [AppendInBranch, AppendInLoop, Nested, InDict]


def compiled(module: nn.Module) -> torch.jit.ScriptModule:
    return torch_tensorrt.compile(
        torch.jit.script(module), ir="ts", inputs=[X], engine="openvino", min_block_size=1
    )


@pytest.mark.parametrize("kind", FOLLOWED)
def test_writes_in_straight_line_become_one_engine(kind: type[nn.Module]) -> None:
    fast = compiled(kind())
    assert_one_engine(fast, "openvino")
    assert_close(fast(X), kind()(X))


@pytest.mark.parametrize("kind", OTHERS)
def test_other_writes_stay_right(kind: type[nn.Module]) -> None:
    fast = compiled(kind())
    for x in (X + 1, X - 1):
        assert_close(fast(x), kind()(x))
