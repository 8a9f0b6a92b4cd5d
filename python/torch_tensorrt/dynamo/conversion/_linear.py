"""Matrix products, convolutions, attention."""

from __future__ import annotations

import math
from typing import Any

from torch_tensorrt.dynamo.conversion._enums import (
    AttentionNormalizationOp,
    CausalMaskKind,
    Dims,
    MatrixOperation,
    PaddingMode,
    flag,
)
from torch_tensorrt.dynamo.conversion._layer import ILayer, ITensor, Weights
from torch_tensorrt.dynamo.conversion._network_base import NetworkBase, operands
from torch_tensorrt.dynamo.conversion._padding import explicit_padding
from torch_tensorrt.dynamo.conversion._writer import Value, Writer, static, torch_dtype


class IMatrixMultiplyLayer(ILayer):
    """The product of matrices; leading sizes are equal or 1."""

    operands = ("input0", "input1")
    op0: MatrixOperation
    op1: MatrixOperation

    def _emit(self, write: Writer) -> list[Value]:
        a, b = self._input(0), self._input(1)
        row, column = self.op0 is MatrixOperation.VECTOR, self.op1 is MatrixOperation.VECTOR
        if row:
            a = write.unsqueeze(a, len(a.shape) - 1)
        if column:
            b = write.unsqueeze(b, len(b.shape))
        y = write.one(
            "matmul",
            a,
            b,
            transpose_a=self.op0 is MatrixOperation.TRANSPOSE,
            transpose_b=self.op1 is MatrixOperation.TRANSPOSE,
        )
        rank = len(y.shape)
        return [write.squeeze(y, *[rank - 2] * row, *[rank - 1] * column)]


class IEinsumLayer(ILayer):
    """A sum of products over letters."""

    operands = ("*",)
    equation: str

    def _emit(self, write: Writer) -> list[Value]:
        tensors = [self._input(i) for i in range(self.num_inputs)]
        equation = expanded_equation(self.equation, [len(t.shape) for t in tensors])
        return [write.one("einsum", *tensors, equation=equation)]


def expanded_equation(equation: str, ranks: list[int]) -> str:
    """The equation without blanks, with letters in the place of each ellipsis.

    >>> expanded_equation("...ij, jk -> ...ik", [3, 2])
    'aij,jk->aik'

    Raises:
        ValueError: it has another number of operands, or one with more letters than axes.
    """
    equation = equation.replace(" ", "")
    if "..." not in equation:
        return equation
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    free = [c for c in "abcdefghijklmnopqrstuvwxyz" if c not in equation]
    if len(terms) != len(ranks):
        raise ValueError(f"equation is for {len(terms)} operands, expected {len(ranks)}")
    for index, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        if "..." in term and rank < len(term) - 3:
            raise ValueError(
                f"input {index} has {rank} axes, expected at least {len(term) - 3} for {term!r}"
            )
    counts = [
        rank - len(term) + 3 if "..." in term else 0
        for term, rank in zip(terms, ranks, strict=True)
    ]
    letters = "".join(free[: max(counts)])
    terms = [
        term.replace("...", letters[len(letters) - count :])
        for term, count in zip(terms, counts, strict=True)
    ]
    if not arrow:
        once = sorted(c for c in set("".join(terms)) if "".join(terms).count(c) == 1)
        right = letters + "".join(c for c in once if c not in letters)
    return ",".join(terms) + "->" + right.replace("...", letters)


class _Convolution(ILayer):
    operands = ("input", "kernel", "bias")
    num_output_maps: int
    kernel_size_nd: Dims
    kernel: Weights
    bias: Weights
    stride_nd: Dims
    pre_padding: Dims
    post_padding: Dims
    padding_mode: PaddingMode
    dilation_nd: Dims
    num_groups: int

    @property
    def padding_nd(self) -> Dims:
        """Padding at both ends."""
        return self.pre_padding

    @padding_nd.setter
    def padding_nd(self, padding: Any) -> None:
        self.pre_padding = padding
        self.post_padding = padding

    def _kernel(self, write: Writer, x: Value, rows: int) -> Value:
        """The kernel with `rows` as its first size."""
        given = self._given(1)
        if given is not None:
            return given
        if rows < 1:
            raise ValueError(f"num_output_maps is {rows}, expected at least 1")
        block = rows * math.prod(self.kernel_size_nd)
        if not self.kernel.size or self.kernel.size % block:
            raise ValueError(
                f"kernel has {self.kernel.size} elements, expected a multiple of {block}: "
                f"{rows} maps of {tuple(self.kernel_size_nd)}"
            )
        data = self.kernel.cast(torch_dtype(x), "kernel")
        return write.constant(data.reshape(rows, -1, *self.kernel_size_nd))

    def _bias(self, write: Writer, x: Value) -> Value | None:
        if self._given(2) is not None or not self.bias.size:
            return self._given(2)
        return write.constant(self.bias.cast(torch_dtype(x), "bias").flatten())

    def _geometry(self, x: Value) -> tuple[Dims, Dims, tuple[Dims, Dims]]:
        """Strides, dilations and both paddings, one entry an axis."""
        axes = self._spatial(x, "kernel_size_nd")
        stride, dilation = (self._per_axis(name, axes, 1) for name in ("stride_nd", "dilation_nd"))
        begin, end = (self._per_axis(name, axes, 0) for name in ("pre_padding", "post_padding"))
        return stride, dilation, (begin, end)

    def _checked(self, y: Value) -> Value:
        """The result, once it has as many maps as the layer says."""
        maps = y.shape[1]
        if maps not in (-1, self.num_output_maps):
            raise ValueError(
                f"num_output_maps is {self.num_output_maps}, expected {maps}: the kernel's"
            )
        return y


class IConvolutionLayer(_Convolution):
    """A convolution of x [N, C, sizes]; the kernel is [maps, C / groups, sizes]."""

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        stride, dilation, given = self._geometry(x)
        begin, end = explicit_padding(
            self.padding_mode, x.shape[2:], self.kernel_size_nd, stride, dilation, given
        )
        y = write.one(
            "conv",
            x,
            self._kernel(write, x, self.num_output_maps),
            self._bias(write, x),
            stride=stride,
            pad_begin=begin,
            pad_end=end,
            dilation=dilation,
            groups=self.num_groups,
        )
        return [self._checked(y)]


class IDeconvolutionLayer(_Convolution):
    """A transposed convolution of x [N, C, sizes]; the kernel is [C, maps / groups, sizes]."""

    def _emit(self, write: Writer) -> list[Value]:
        x = self._input(0)
        if self.padding_mode is not PaddingMode.EXPLICIT_ROUND_DOWN:
            raise NotImplementedError(
                f"padding_mode is {self.padding_mode.name}, expected EXPLICIT_ROUND_DOWN"
            )
        stride, dilation, (begin, end) = self._geometry(x)
        channels = static(x.shape[1], "the number of input channels")
        y = write.one(
            "deconv",
            x,
            self._kernel(write, x, channels),
            self._bias(write, x),
            stride=stride,
            pad_begin=begin,
            pad_end=end,
            output_padding=[0] * len(stride),
            dilation=dilation,
            groups=self.num_groups,
        )
        return [self._checked(y)]


class IAttention(ILayer):
    """softmax(q k^T + mask) v; there is no scale: multiply the query."""

    operands = ("query", "key", "value")
    norm_op: AttentionNormalizationOp
    causal_kind: CausalMaskKind
    mask: ITensor | None
    decomposable: bool

    @property
    def causal(self) -> bool:
        """Does a position attend only to itself and those before it?"""
        return self.causal_kind is not CausalMaskKind.NONE

    @causal.setter
    def causal(self, causal: bool) -> None:
        self.causal_kind = _causal_kind(causal)

    def _emit(self, write: Writer) -> list[Value]:
        query, key, value = (self._input(i) for i in range(3))
        mask = self.mask._value if self.mask is not None else None
        if self.norm_op is AttentionNormalizationOp.SOFTMAX:
            kind = self.causal_kind.value
            return [write.one("attention", query, key, value, mask, scale=1.0, causal=kind)]
        if self.causal or mask is not None:
            raise NotImplementedError("norm_op is NONE, expected SOFTMAX with a mask or causal")
        scores = write.one("matmul", query, key, transpose_b=True)
        return [write.one("matmul", scores, value)]


def _causal_kind(causal: Any) -> CausalMaskKind:
    try:
        return CausalMaskKind.UPPER_LEFT if flag(causal) else CausalMaskKind.NONE
    except TypeError as error:
        raise TypeError(f"Attention: causal: {error}") from None


class LinearMethods(NetworkBase):
    """add_* methods of the layers in this file."""

    def add_matrix_multiply(
        self, input0: Any, op0: Any, input1: Any, op1: Any
    ) -> IMatrixMultiplyLayer:
        """The product of two operands of equal rank; VECTOR ones have one dimension less."""
        return self._added(IMatrixMultiplyLayer(self, input0, input1, op0=op0, op1=op1))

    def add_einsum(self, inputs: Any, equation: str) -> IEinsumLayer:
        """A sum of products, written as for torch.einsum with lower-case letters."""
        return self._added(IEinsumLayer(self, *operands("add_einsum", inputs), equation=equation))

    def add_convolution_nd(
        self, input: Any, num_output_maps: int, kernel_shape: Any, kernel: Any, bias: Any = None
    ) -> IConvolutionLayer:
        """A convolution; an empty `kernel` waits for set_input(1, tensor)."""
        return self._added(
            IConvolutionLayer(
                self, input, **_convolution("Conv", num_output_maps, kernel_shape, kernel, bias)
            )
        )

    def add_deconvolution_nd(
        self, input: Any, num_output_maps: int, kernel_shape: Any, kernel: Any, bias: Any = None
    ) -> IDeconvolutionLayer:
        """A transposed convolution; an empty `kernel` waits for set_input(1, tensor)."""
        return self._added(
            IDeconvolutionLayer(
                self, input, **_convolution("Deconv", num_output_maps, kernel_shape, kernel, bias)
            )
        )

    def add_attention(
        self, query: Any, key: Any, value: Any, norm_op: Any, causal: bool
    ) -> IAttention:
        """softmax(q k^T) v of rank 4; set `mask` for bool (true attends) or added scores."""
        return self.add_attention_v2(query, key, value, norm_op, _causal_kind(causal))

    def add_attention_v2(
        self, query: Any, key: Any, value: Any, norm_op: Any, causal_kind: Any
    ) -> IAttention:
        """As add_attention, with the triangle of the scores that counts."""
        return self._added(
            IAttention(
                self,
                query,
                key,
                value,
                norm_op=norm_op,
                causal_kind=causal_kind,
                mask=None,
                decomposable=False,
            )
        )


def _convolution(kind: str, maps: int, kernel_shape: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    sizes = Dims.named(f"{kind}olutionLayer: kernel_shape", kernel_shape)
    ones, zeros = (1,) * len(sizes), (0,) * len(sizes)
    return {
        "num_output_maps": maps,
        "kernel_size_nd": sizes,
        "kernel": kernel,
        "bias": bias,
        "stride_nd": ones,
        "pre_padding": zeros,
        "post_padding": zeros,
        "padding_mode": PaddingMode.EXPLICIT_ROUND_DOWN,
        "dilation_nd": ones,
        "num_groups": 1,
    }
