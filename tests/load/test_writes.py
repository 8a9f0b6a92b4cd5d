"""Random TorchScript programs that write in place: tensors, through views, and lists and dicts."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import assert_close

X = torch.linspace(-1, 1, 32).view(4, 8)
CALLS = (X, X + 0.3, X.roll(1, 0) + 0.6)

MADE = (
    "torch.zeros_like(x)",
    "torch.ones_like(x)",
    "torch.zeros(4, 8)",
    "torch.full([4, 8], 0.5)",
    "x.clone()",
    "torch.arange(32).view(4, 8).to(torch.float32)",
)
COMPUTED = (
    "{a} + {b}",
    "{a} * 0.5",
    "{a}.relu()",
    "torch.max({a}, {b})",
    "{a}.t().contiguous().view(4, 8)",
    "{a}.view(8, 4).t().reshape(4, 8)",
    "{a}[:]",
    "{a}.view(4, 8)",
    "{a}.unsqueeze(0).squeeze(0)",
    "{a}.detach()",
    "torch.cat([{a}[:2], {b}[2:]])",
    "torch.stack([{a}, {b}]).sum(0)",
    "[{a}, {b}][1]",
)
WRITTEN = (
    "{w}.add_({a})",
    "{w}.mul_(0.5)",
    "{w}[0] += 1.0",
    "{w}[1] = {a}[2]",
    "{w}[:, 1:3] = {a}[:, 2:4] * 2",
    "{w}[:, 2] += {a}[:, 3]",
    "{w}[{a} > 0.5] = 7.0",
    "{w}.copy_({a} + 1)",
    "{w}.zero_()",
    "{w}.relu_()",
    "{w}[1:3].mul_(2.0)",
    "{w}.t()[2].add_(1.0)",
    "{w}.view(8, 4)[1].sub_(0.5)",
    "{w}[0, 1] = {a}[3, 2]",
    "{w}.masked_fill_({a} < 0, 0.5)",
    "{w}.unsqueeze(0)[0, 1].add_(1.0)",
    "{w}.index_fill_(0, torch.tensor([1, 2]), 0.5)",
)
# No sum of the inputs is near these: a branch must not hang on the last bit.
CONDITIONS = ("{a}.sum() > -1.37", "{a}.sum() > 0.71", "{a}.sum() > 3.13")
TRIPS = ("2", "3", "int((x[0, 0] * 3).item())")


# An if stands on two lines, "|" between them.
LISTED = (
    "{l}.append({a})",
    "{l}.append({b} * 2)",
    "{l}.insert(0, {a})",
    "{l}.extend([{a}, {b}])",
    "{l} += [{a}]",
    "{l}.reverse()",
    "if len({l}) > 1:|{l}.pop()",
    "if len({l}) > 0:|{l}[0] = {a} + 1",
    "if len({l}) > 3:|{l}.clear()",
    "d['{k}'] = {a}",
    "d['{k}'] = d['a'] * 2",
    "if 'c' in d:|d['a'] = d['c']",
)
LISTS = ("[{a}]", "[{a}, {b}]", "{l} + {m}", "{l}[1:]", "[z * 2 for z in {l}]", "{l}", "{l}.copy()")


class Writer:
    """Writes one program that writes to tensors; all are [4, 8]."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines = ["def forward(self, x):"]
        self.names = ["x"]
        self.begin()
        self.statements(self.random.randint(4, 12), 1)
        self.line(1, "return " + ", ".join(self.results()))

    def begin(self) -> None:
        """What is there before the random statements."""

    def results(self) -> list[str]:
        return self.random.sample(self.names, min(len(self.names), self.random.randint(1, 3)))

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def form(self, forms: tuple[str, ...], **names: str) -> str:
        a, b = self.random.choice(self.names), self.random.choice(self.names)
        return self.random.choice(forms).format(a=a, b=b, **names)

    def statements(self, count: int, depth: int) -> None:
        for _ in range(count):
            self.statement(self.random.random(), depth)

    def statement(self, kind: float, depth: int) -> None:
        if kind < 0.45:
            name = f"v{len(self.lines)}"
            self.line(depth, f"{name} = " + self.form(MADE if kind < 0.18 else COMPUTED))
            if depth == 1:
                self.names.append(name)
        elif kind < 0.82:
            self.write(depth)
        elif depth < 3:
            branches = kind < 0.91
            head = f"if bool({self.form(CONDITIONS)}):"
            loop = f"for i{depth} in range({self.random.choice(TRIPS)}):"
            self.line(depth, head if branches else loop)
            self.block(depth)
            if branches and self.random.random() < 0.5:
                self.line(depth, "else:")
                self.block(depth)

    def write(self, depth: int) -> None:
        own = self.names[1:]
        if own:
            self.line(depth, self.form(WRITTEN, w=self.random.choice(own)))

    def block(self, depth: int) -> None:
        self.statements(self.random.randint(1, 2), depth + 1)
        self.line(depth + 1, "pass")


class ContainerWriter(Writer):
    """Writes one program that writes to lists and a dict of tensors."""

    def begin(self) -> None:
        self.lists = ["l0"]
        self.line(1, "l0 = [x, x + 1]")
        self.line(1, "d = {'a': x, 'b': x * 2}")

    def write(self, depth: int) -> None:
        names = {"l": self.random.choice(self.lists), "m": self.random.choice(self.lists)}
        if self.random.random() < 0.25:
            name = f"l{len(self.lines)}"
            self.line(depth, f"{name} = " + self.form(LISTS, **names))
            if depth == 1:
                self.lists.append(name)
            return
        head, _, body = self.form(LISTED, **names, k=self.random.choice("abc")).partition("|")
        self.line(depth, head)
        if body:
            self.line(depth + 1, body)

    def results(self) -> list[str]:
        return [f"torch.stack([x] + {one}).sum(0)" for one in [*self.lists, "list(d.values())"]]


_numbers = itertools.count()


def scripted(source: str) -> torch.jit.ScriptModule:
    """The program as a module; each has a class of its own."""
    kind = type(f"Written{next(_numbers)}", (torch.jit.ScriptModule,), {})
    module = kind()
    module.define(source)
    module.eval()
    return module


def compiled(source: str) -> torch.jit.ScriptModule:
    with torch_tensorrt.logging.errors():
        return torch_tensorrt.compile(scripted(source), ir="ts", inputs=[X], min_block_size=1)


def results(module: torch.nn.Module) -> list[Any]:
    """What two rounds of calls give, and what they leave of their inputs."""
    found = []
    for call in CALLS * 2:
        x = call.clone()
        found.append((module(x), x))
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("writer", [Writer, ContainerWriter])
def test_writes_in_place(writer: type[Writer], request: pytest.FixtureRequest) -> None:
    count, refused = 3000 if request.config.getoption("--long") else 150, 0
    for seed in range(count):
        source = "\n".join([*writer(seed).lines, ""])
        try:
            expected = results(scripted(source))
        except RuntimeError:  # a view that this memory has not
            refused += 1
            continue
        try:
            assert_close(results(compiled(source)), expected)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}:\n{source}\n{error}") from None
    assert refused < count / 5


def test_a_lost_write_is_found() -> None:
    whole = ["def forward(self, x):", "    v = x.clone()", "    v[0] += 1.0", "    return v, x", ""]
    expected = results(scripted("\n".join(whole)))
    assert_close(results(compiled("\n".join(whole))), expected)
    with pytest.raises(AssertionError):
        assert_close(results(compiled("\n".join([*whole[:2], *whole[3:]]))), expected)
