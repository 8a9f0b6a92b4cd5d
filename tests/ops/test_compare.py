"""Comparisons, logic, kinds of numbers."""

import torch
from ops.harness import Dyn, T, op_rows

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3), dtype=torch.int64)
ROW = T(3, dtype=torch.int64)
BOOLS = T(4, 3, dtype=torch.bool)
NUMBERS = torch.tensor([0.5, float("nan"), float("inf"), float("-inf"), 0.0])


@op_rows(
    ("eq", torch.eq, X, ROW),
    ("ne", torch.ne, X, ROW),
    ("lt", torch.lt, X, ROW),
    ("le", torch.le, X, ROW),
    ("gt", torch.gt, X, ROW),
    ("ge", torch.ge, X, ROW),
    ("eq_number", lambda x: x == 2, X),
    ("ne_number", lambda x: x != 2, X),
    ("lt_number", lambda x: x < 0.5, X),
    ("gt_floats", lambda x: x > 0.1, T(4, 3)),
    ("mixed", torch.ge, X, T(3)),
    ("bools", torch.eq, BOOLS, BOOLS),
    ("ordered_bools", torch.gt, BOOLS, BOOLS),
    ("greater", torch.greater, X, ROW),
    ("less_equal", lambda x: torch.less_equal(x, 1), X),
    ("not_equal", torch.not_equal, X, ROW),
    ("large", torch.eq, torch.tensor([16777217, 3]), torch.tensor([16777216, 3])),
    ("nan", lambda x: torch.stack([x > 0, x >= 0, x < 0, x <= 0, x == x, x != x]), NUMBERS),
)
def test_comparison(case):
    case.check()


@op_rows(
    ("and", torch.logical_and, BOOLS, BOOLS),
    ("or", torch.logical_or, BOOLS, X),
    ("xor", torch.logical_xor, X, T(4, 3)),
    ("not", torch.logical_not, BOOLS),
    ("not_ints", torch.logical_not, X),
)
def test_logic(case):
    case.check()


@op_rows(
    ("isnan", torch.isnan, NUMBERS),
    ("isinf", torch.isinf, NUMBERS),
    ("isfinite", torch.isfinite, NUMBERS),
    ("isposinf", torch.isposinf, NUMBERS),
    ("isneginf", torch.isneginf, NUMBERS),
    (
        "isclose",
        torch.isclose,
        torch.tensor([1.0, 1.0, float("inf"), 1.0]),
        torch.tensor([1.0 + 1e-6, 1.1, float("inf"), float("inf")]),
    ),
    ("isclose_nan", lambda a, b: torch.isclose(a, b, equal_nan=True), NUMBERS, NUMBERS),
    ("isin", lambda x, t: torch.isin(x, t), X, ROW),
    ("isin_inverted", lambda x, t: torch.isin(x, t, invert=True), X, ROW),
)
def test_kinds(case):
    case.check()
