"""Reductions and scans."""

import torch
from ops.harness import Dyn, T, op_rows

X = Dyn((1, 4, 3), (2, 4, 3), (5, 4, 3))
INTS = T(2, 4, 3, dtype=torch.int64)
BOOLS = T(2, 4, 3, dtype=torch.bool)
DISTINCT = torch.randperm(24, generator=torch.Generator().manual_seed(0)).reshape(2, 4, 3)


@op_rows(
    ("all", lambda x: x.sum(), X),
    ("axis", lambda x: x.sum(1), X),
    ("last", lambda x: x.sum(-1, keepdim=True), X),
    ("axes", lambda x: x.sum((0, 2)), X),
    ("axes_kept", lambda x: x.sum((0, 2), keepdim=True), X),
    ("dtype", lambda x: x.sum(1, dtype=torch.int64), T(2, 4, 3, low=-9, high=9)),
    ("ints", lambda x: x.sum(1), INTS),
    ("small_ints", lambda x: x.sum(), T(2, 4, dtype=torch.int32)),
    ("bools", lambda x: x.sum(0), BOOLS),
    ("scalar", lambda x: x.sum() + x.sum().sum(0), T()),
    ("nansum", lambda x: torch.nansum(x, 1), torch.tensor([[1.0, float("nan")], [2.0, 3.0]])),
    ("mean", lambda x: x.mean(), X),
    ("mean_axes", lambda x: x.mean((-1, -2)), X),
    ("mean_dtype", lambda x: x.mean(1, dtype=torch.float32), INTS),
    ("nanmean", lambda x: torch.nanmean(x, 1), torch.tensor([[1.0, float("nan")], [2.0, 3.0]])),
    ("prod", lambda x: x.prod(), T(2, 3)),
    ("prod_axis", lambda x: x.prod(1, keepdim=True), X),
    ("prod_ints", lambda x: x.prod(2), T(2, 4, 3, dtype=torch.int32)),
)
def test_sum(case):
    case.check()


@op_rows(
    ("max", lambda x: x.max(), X),
    ("min", lambda x: x.min(), INTS),
    ("max_bools", lambda x: x.max(), BOOLS),
    ("max_axis", lambda x: tuple(x.max(1)), DISTINCT.float()),
    ("min_axis", lambda x: tuple(x.min(-1, keepdim=True)), DISTINCT),
    ("max_values", lambda x: x.max(0).values, X),
    ("max_dynamic", lambda x: x.max(0).values, Dyn((1, 5), (4, 5), (9, 5))),
    ("amax", lambda x: x.amax((1, 2)), X),
    ("amin_all", lambda x: x.amin(), X),
    ("amin_kept", lambda x: x.amin(-1, keepdim=True), INTS),
    ("aminmax", lambda x: tuple(torch.aminmax(x)), X),
    ("aminmax_axis", lambda x: tuple(torch.aminmax(x, dim=1, keepdim=True)), X),
    ("argmax", lambda x: x.argmax(), DISTINCT),
    ("argmax_kept", lambda x: x.argmax(keepdim=True), DISTINCT),
    ("argmax_axis", lambda x: x.argmax(-1), X),
    ("argmin_axis", lambda x: x.argmin(1, keepdim=True), DISTINCT.float()),
)
def test_extreme(case):
    case.check()


@op_rows(
    ("any", lambda x: x.any(), BOOLS),
    ("any_axis", lambda x: x.any(1), BOOLS),
    ("any_ints", lambda x: (x > 4).any(-1, keepdim=True), INTS),
    ("any_of_numbers", lambda x: x.any(0), INTS),
    ("all", lambda x: x.all(), BOOLS),
    ("all_axis", lambda x: x.all(2), BOOLS),
    ("all_axes", lambda x: torch.all(x, (0, 1)), BOOLS),
    ("count_nonzero", torch.count_nonzero, INTS),
    ("count_nonzero_axis", lambda x: torch.count_nonzero(x, 1), INTS),
    ("count_nonzero_axes", lambda x: torch.count_nonzero(x, (0, 2)), INTS),
)
def test_truth(case):
    case.check()


@op_rows(
    ("logsumexp", lambda x: torch.logsumexp(x, 1), X),
    ("logsumexp_far", lambda x: torch.logsumexp(x, (0, 1)), T(3, 4, low=80, high=100)),
    (
        "logsumexp_inf",
        lambda x: torch.logsumexp(x, 1, keepdim=True),
        torch.tensor([[float("-inf"), float("-inf")], [1.0, float("-inf")]]),
    ),
    ("cumsum", lambda x: x.cumsum(1), X),
    ("cumsum_first", lambda x: x.cumsum(0), X),
    ("cumsum_ints", lambda x: x.cumsum(-1), T(3, 4, dtype=torch.int32)),
    ("cumsum_bools", lambda x: x.cumsum(-1), BOOLS),
    ("cumsum_dtype", lambda x: x.cumsum(1, dtype=torch.float32), INTS),
    ("cumprod", lambda x: x.cumprod(1), T(3, 7, low=-2, high=2)),
    ("diff", torch.diff, X),
    ("diff_twice", lambda x: torch.diff(x, 2, 1), X),
    ("diff_prepend", lambda x, p: torch.diff(x, prepend=p), T(3, 4), T(3, 1)),
)
def test_scan(case):
    case.check()
