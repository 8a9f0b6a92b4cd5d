"""Tensors made of numbers and sizes."""

import torch
from ops.harness import Dyn, T, op_rows

aten = torch.ops.aten

X = Dyn((1, 4), (3, 4), (6, 4))
SQUARE = Dyn((2, 2), (4, 5), (7, 6))


@op_rows(
    ("zeros", lambda x: x + torch.zeros(x.shape[0], 4), X),
    ("ones", lambda x: x + torch.ones(x.shape[0], 1), X),
    ("full", lambda x: x + torch.full((x.shape[0], 1), 2.5), X),
    ("full_bool", lambda x: torch.full((x.shape[0], 2), 1, dtype=torch.bool), X),
    ("full_size", lambda x: torch.full((2, 2), x.shape[0]) + x.sum().long(), X),
    ("zeros_like", torch.zeros_like, X),
    ("ones_like", lambda x: torch.ones_like(x, dtype=torch.int64), X),
    ("full_like", lambda x: torch.full_like(x, -1.5), X),
    ("new_zeros", lambda x: x.new_zeros(x.shape[0], 2), X),
    ("new_ones", lambda x: x.new_ones((2, x.shape[0]), dtype=torch.bool), X),
    ("new_full", lambda x: x.new_full((x.shape[0],), 3.0), X),
    ("filled", lambda x: (x * 2).fill_(3.0), X),
)
def test_full(case):
    case.check()


@op_rows(
    ("end", lambda x: x[:, 0] + torch.arange(x.shape[0]), X),
    ("start", lambda x: torch.arange(1, x.shape[0] + 1) * x[:, 0], X),
    ("step", lambda x: torch.arange(0, x.shape[0], 2) + x.sum(), X),
    ("backwards", lambda x: torch.arange(x.shape[0], 0, -1) + x.sum(), X),
    ("floats", lambda x: torch.arange(x.shape[0], dtype=torch.float32) * x[:, 0], X),
    ("known", lambda x: x + torch.arange(4), X),
    ("start_step", lambda x: x + aten.arange.start_step(0, 8, 2), X),
    ("scalar_tensor", lambda x: x + aten.scalar_tensor(2.5), X),
    ("known_floats", lambda x: x + torch.arange(0.5, 2.5, 0.5), X),
    ("linspace", lambda x: x + torch.linspace(-1, 1, 4), X),
)
def test_sequence(case):
    case.check()


@op_rows(
    ("eye", lambda x: x @ torch.eye(4), X),
    ("eye_dynamic", lambda x: torch.eye(x.shape[0]) + x.sum(), X),
    ("tril", torch.tril, SQUARE),
    ("triu", torch.triu, SQUARE),
    ("triu_offset", lambda x: torch.triu(x, 1), SQUARE),
    ("tril_below", lambda x: torch.tril(x, -1), T(2, 4, 5, dtype=torch.int64)),
    (
        "causal",
        lambda x: torch.ones(x.shape[0], x.shape[0], dtype=torch.bool).tril() & (x.sum() < 99),
        X,
    ),
    (
        "one_hot",
        lambda x: torch.nn.functional.one_hot(x, 7),
        T(3, 4, dtype=torch.int64, low=0, high=6),
    ),
)
def test_matrix(case):
    case.check()
