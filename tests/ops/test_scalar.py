"""Arithmetic on sizes and numbers."""

import torch
from ops.harness import Dyn, Row, T, op_rows

X = Dyn((2, 6), (4, 6), (8, 6))


def halves(x):
    n = x.shape[0] // 2
    return x[:n] + x[n : 2 * n]


def joined_axes(x):
    return (x * 2).view(x.size(0) * x.size(1))


def from_list(x):
    sizes = x.size()
    return (x + 1).reshape(sizes[1], sizes[0])


def padded_to_four(x):
    extra = (4 - x.shape[0] % 4) % 4
    return torch.nn.functional.pad(x, [0, 0, 0, extra])


def scaled_by_size(x):
    return x * x.shape[0] / x.numel()


def scaled_by_root(x):
    return x / float(x.size(0)) ** 0.5


def at_most(x):
    n = min(x.size(0), 3)
    return x[:n] * 2


def at_least(x):
    return x.new_zeros(max(x.size(0), 5)) + x.sum()


def swapped(x):
    return (x + 1).reshape(x.size()[::-1])


def of_rank(x):
    return x.sum(dim=x.dim() - 1)


def size_tensor(x):
    return x.sum() + torch.tensor([x.shape[0], x.shape[1]])


@op_rows(
    ("halves", halves, X),
    ("joined_axes", joined_axes, X),
    ("from_list", from_list, X),
    ("padded_to_four", padded_to_four, X),
    ("scaled_by_size", scaled_by_size, X),
    Row("at_most", at_most, X, forms=("scripted",)),
    Row("at_least", at_least, X, forms=("scripted",)),
    Row("swapped", swapped, X, forms=("scripted",)),
    ("of_rank", of_rank, X),
    ("size_tensor", size_tensor, T(2, 6)),
)
def test_sizes(case):
    case.check()
