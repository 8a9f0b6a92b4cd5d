#include <ATen/ATen.h>

#include <limits>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

// Where the windows of one spatial axis start and how many there are. The count is ATen's: a last
// window that ceil mode adds must not start in the end padding.
std::int64_t window_count(std::int64_t in, std::int64_t window, std::int64_t stride,
                          std::int64_t begin, std::int64_t end, std::int64_t dilation, bool ceil) {
  const std::int64_t room =
      in + begin + end - dilation * (window - 1) - 1 + (ceil ? stride - 1 : 0);
  const std::int64_t count = room / stride + 1;
  return ceil && (count - 1) * stride >= in + begin ? count - 1 : count;
}

// The window positions of a pool on every spatial axis of x, as one padding (negative: a cut) after
// which a pool without padding or ceil mode visits exactly those windows.
core::Ints exact_padding(const at::Tensor& x, const core::Ints& window, const core::Ints& stride,
                         const core::Ints& begin, const core::Ints& end, const core::Ints& dilation,
                         bool ceil) {
  core::Ints amounts;
  for (std::size_t i = window.size(); i-- > 0;) {
    const std::int64_t in = x.size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t count =
        window_count(in, window[i], stride[i], begin[i], end[i], dilation[i], ceil);
    const std::int64_t covered = (count - 1) * stride[i] + dilation[i] * (window[i] - 1) + 1;
    amounts.push_back(begin[i]);
    amounts.push_back(covered - in - begin[i]);
  }
  return amounts;
}

at::Tensor max_pool(const at::Tensor& x, const core::MaxPool& p, const core::Ints& padding,
                    bool ceil) {
  switch (p.window.size()) {
    case 1:
      return at::max_pool1d(x, p.window, p.stride, padding, p.dilation, ceil);
    case 2:
      return at::max_pool2d(x, p.window, p.stride, padding, p.dilation, ceil);
    default:
      return at::max_pool3d(x, p.window, p.stride, padding, p.dilation, ceil);
  }
}

at::Tensor avg_pool(const at::Tensor& x, const core::AvgPool& p, const core::Ints& padding) {
  const bool ceil = p.ceil_mode;
  const bool include = p.count_include_pad;
  switch (p.window.size()) {
    case 1:
      return at::avg_pool1d(x, p.window, p.stride, padding, ceil, include);
    case 2:
      return at::avg_pool2d(x, p.window, p.stride, padding, ceil, include);
    default:
      return at::avg_pool3d(x, p.window, p.stride, padding, ceil, include);
  }
}

// The mean over each window that counts what `inside` marks: a pool of x over the same pool of the
// marks.
at::Tensor uneven_avg_pool(const at::Tensor& x, const core::AvgPool& layer) {
  const core::Ints ones(layer.window.size(), 1);
  const core::Ints none(layer.window.size(), 0);
  const core::Ints amounts = exact_padding(x, layer.window, layer.stride, layer.pad_begin,
                                           layer.pad_end, ones, layer.ceil_mode);
  at::Tensor inside = at::ones_like(x);
  core::Ints rest = amounts;
  if (layer.count_include_pad) {
    core::Ints counted;
    for (std::size_t i = layer.window.size(); i-- > 0;) {
      counted.push_back(layer.pad_begin[i]);
      counted.push_back(layer.pad_end[i]);
    }
    inside = at::constant_pad_nd(inside, counted, 1);
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] -= counted[i];
  }
  core::AvgPool plain = layer;
  plain.ceil_mode = false;
  return avg_pool(at::constant_pad_nd(x, amounts), plain, none) /
         avg_pool(at::constant_pad_nd(inside, rest), plain, none);
}

}  // namespace

Tensors evaluate(const core::MaxPool& layer, const Call& call) {
  const at::Tensor& x = call[0];
  if (layer.pad_begin == layer.pad_end) {
    return {max_pool(x, layer, layer.pad_begin, layer.ceil_mode)};
  }
  const core::Ints amounts = exact_padding(x, layer.window, layer.stride, layer.pad_begin,
                                           layer.pad_end, layer.dilation, layer.ceil_mode);
  const core::Ints none(layer.window.size(), 0);
  const double lowest = -std::numeric_limits<double>::infinity();
  return {max_pool(at::constant_pad_nd(x, amounts, lowest), layer, none, /*ceil=*/false)};
}

Tensors evaluate(const core::AvgPool& layer, const Call& call) {
  if (layer.pad_begin == layer.pad_end) return {avg_pool(call[0], layer, layer.pad_begin)};
  return {uneven_avg_pool(call[0], layer)};
}

Tensors evaluate(const core::AdaptiveAvgPool& layer, const Call& call) {
  switch (layer.output_size.size()) {
    case 1:
      return {at::adaptive_avg_pool1d(call[0], layer.output_size)};
    case 2:
      return {at::adaptive_avg_pool2d(call[0], layer.output_size)};
    default:
      return {at::adaptive_avg_pool3d(call[0], layer.output_size)};
  }
}

Tensors evaluate(const core::GridSample& layer, const Call& call) {
  return {at::grid_sampler(call[0], call[1], static_cast<std::int64_t>(layer.mode),
                           static_cast<std::int64_t>(layer.padding), layer.align_corners)};
}

// x / (k + alpha * mean of x^2 over `size` channels around)^beta, zeros beyond the first and last
// channel.
Tensors evaluate(const core::Lrn& layer, const Call& call) {
  const at::Tensor& x = call[0];
  core::Ints amounts(static_cast<std::size_t>(x.dim() - 1) * 2, 0);
  amounts[amounts.size() - 2] = layer.size / 2;
  amounts[amounts.size() - 1] = (layer.size - 1) / 2;
  const at::Tensor mean =
      at::constant_pad_nd(x * x, amounts).unfold(1, layer.size, 1).mean(/*dim=*/-1);
  return {x / at::pow(mean * layer.alpha + layer.k, layer.beta)};
}

}  // namespace torch_tensorrt::engines::reference
