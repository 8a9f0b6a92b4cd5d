#include <ATen/ATen.h>

#include <limits>
#include <optional>

#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

// The queries that may look at some key. ATen's fused kernels on CUDA leave other numbers than zero
// in the other rows.
at::Tensor attending_rows(const at::Tensor& mask) {
  const double nothing = -std::numeric_limits<double>::infinity();
  const at::Tensor attends = mask.scalar_type() == at::kBool ? mask : mask > nothing;
  return attends.any(/*dim=*/-1, /*keepdim=*/true);
}

}  // namespace

Tensors evaluate(const core::Attention& layer, const Call& call) {
  const at::Tensor& q = call[0];
  const at::Tensor& k = call[1];
  std::optional<at::Tensor> mask = call.optional(3);
  if (layer.causal == core::Causal::lower_right) {
    const std::int64_t queries = q.size(2);
    const std::int64_t keys = k.size(2);
    mask = at::ones({queries, keys}, q.options().dtype(at::kBool)).tril(keys - queries);
  }
  const at::Tensor y = at::scaled_dot_product_attention(
      q, k, call[2], mask, /*dropout_p=*/0, layer.causal == core::Causal::upper_left, layer.scale,
      /*enable_gqa=*/q.size(1) != k.size(1));
  return {mask ? at::where(attending_rows(*mask), y, 0) : y};
}

// The first `rotated` features of each head turn in pairs: neighbours if interleaved, else half
// against half.
Tensors evaluate(const core::Rope& layer, const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t rotated = layer.rotary_dim ? layer.rotary_dim : x.size(3);
  const auto per_position = [&](const at::Tensor& table) {
    return (call.has(3) ? at::embedding(table, call[3]) : table).unsqueeze(1);
  };
  const at::Tensor cos = per_position(call[1]);
  const at::Tensor sin = per_position(call[2]);
  const at::Tensor head = x.narrow(3, 0, rotated);
  const at::Tensor rest = x.narrow(3, rotated, x.size(3) - rotated);
  if (layer.interleaved) {
    const at::Tensor even = head.slice(3, 0, rotated, 2);
    const at::Tensor odd = head.slice(3, 1, rotated, 2);
    const at::Tensor turned = at::stack({even * cos - odd * sin, odd * cos + even * sin}, -1);
    return {at::cat({turned.flatten(3), rest}, 3)};
  }
  const at::Tensor first = head.narrow(3, 0, rotated / 2);
  const at::Tensor second = head.narrow(3, rotated / 2, rotated / 2);
  return {at::cat({first * cos - second * sin, second * cos + first * sin, rest}, 3)};
}

Tensors evaluate(const core::KvUpdate&, const Call& call) {
  const at::Tensor result = call[0].clone();
  const core::Ints index = call.ints(2);
  for (std::int64_t b = 0; b < result.size(0); ++b) {
    result[b].narrow(1, index.at(static_cast<std::size_t>(b)), call[1].size(2)).copy_(call[1][b]);
  }
  return {result};
}

}  // namespace torch_tensorrt::engines::reference
