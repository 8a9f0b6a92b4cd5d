#include <ATen/ATen.h>

#include <algorithm>

#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

at::Tensor transposed(const at::Tensor& x, bool transpose) {
  return transpose ? x.transpose(-2, -1) : x;
}

// ATen lists the last axis first, begin before end.
at::Tensor pad_spatial(const at::Tensor& x, const core::Ints& begin, const core::Ints& end) {
  core::Ints amounts;
  for (std::size_t i = begin.size(); i-- > 0;) {
    amounts.push_back(begin[i]);
    amounts.push_back(end[i]);
  }
  return at::constant_pad_nd(x, amounts);
}

}  // namespace

Tensors evaluate(const core::MatMul& layer, const Call& call) {
  return {
      at::matmul(transposed(call[0], layer.transpose_a), transposed(call[1], layer.transpose_b))};
}

Tensors evaluate(const core::Einsum& layer, const Call& call) {
  return {at::einsum(layer.equation, call.from(0))};
}

Tensors evaluate(const core::Conv& layer, const Call& call) {
  const core::Ints none(layer.stride.size(), 0);
  const bool symmetric = layer.pad_begin == layer.pad_end;
  const at::Tensor x = symmetric ? call[0] : pad_spatial(call[0], layer.pad_begin, layer.pad_end);
  return {at::convolution(x, call[1], call.optional(2), layer.stride,
                          symmetric ? layer.pad_begin : none, layer.dilation,
                          /*transposed=*/false, /*output_padding=*/none, layer.groups)};
}

// Uneven padding is cut off the unpadded result.
Tensors evaluate(const core::Deconv& layer, const Call& call) {
  const bool symmetric = layer.pad_begin == layer.pad_end;
  const core::Ints none(layer.stride.size(), 0);
  at::Tensor y = at::convolution(call[0], call[1], call.optional(2), layer.stride,
                                 symmetric ? layer.pad_begin : none, layer.dilation,
                                 /*transposed=*/true, layer.output_padding, layer.groups);
  if (!symmetric) {
    for (std::size_t i = 0; i < none.size(); ++i) {
      const auto axis = static_cast<std::int64_t>(i) + 2;
      const std::int64_t size = y.size(axis) - layer.pad_begin[i] - layer.pad_end[i];
      y = y.narrow(axis, layer.pad_begin[i], size);
    }
  }
  return {y};
}

}  // namespace torch_tensorrt::engines::reference
