#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::Coordinate;
using core::NearestRounding;
using core::ResizeMode;

using Scale = std::optional<double>;

// The combinations that ATen's upsample functions compute, on x [1, C, spatial..].
std::optional<at::Tensor> upsample(const core::Resize& layer, const at::Tensor& x,
                                   at::IntArrayRef sizes) {
  const std::size_t rank = sizes.size();
  const auto scale = [&](std::size_t axis) {
    return layer.scales.empty() ? Scale{} : Scale{layer.scales[axis]};
  };
  const bool half_pixel = layer.coordinate == Coordinate::half_pixel;
  const bool corners = layer.coordinate == Coordinate::align_corners;
  if (layer.mode == ResizeMode::nearest && layer.coordinate == Coordinate::asymmetric &&
      layer.rounding == NearestRounding::floor) {
    if (rank == 1) return at::upsample_nearest1d(x, sizes, scale(0));
    if (rank == 2) return at::upsample_nearest2d(x, sizes, scale(0), scale(1));
    return at::upsample_nearest3d(x, sizes, scale(0), scale(1), scale(2));
  }
  if (layer.mode == ResizeMode::nearest && half_pixel &&
      layer.rounding == NearestRounding::half_up) {
    if (rank == 1) return at::_upsample_nearest_exact1d(x, sizes, scale(0));
    if (rank == 2) return at::_upsample_nearest_exact2d(x, sizes, scale(0), scale(1));
    return at::_upsample_nearest_exact3d(x, sizes, scale(0), scale(1), scale(2));
  }
  if (layer.mode == ResizeMode::linear && (half_pixel || corners)) {
    if (rank == 1) return at::upsample_linear1d(x, sizes, corners, scale(0));
    if (rank == 2) return at::upsample_bilinear2d(x, sizes, corners, scale(0), scale(1));
    return at::upsample_trilinear3d(x, sizes, corners, scale(0), scale(1), scale(2));
  }
  if (layer.mode == ResizeMode::cubic && rank == 2 && layer.cubic_a == -0.75 &&
      (half_pixel || corners)) {
    return at::upsample_bicubic2d(x, sizes, corners, scale(0), scale(1));
  }
  return std::nullopt;
}

// Where output i reads along an axis of `in` elements.
double coordinate(const core::Resize& layer, std::size_t axis, std::int64_t i, std::int64_t in,
                  std::int64_t out) {
  if (layer.coordinate == Coordinate::align_corners) {
    return out > 1 ? static_cast<double>(i * (in - 1)) / static_cast<double>(out - 1) : 0;
  }
  const double step = layer.scales.empty() ? static_cast<double>(in) / static_cast<double>(out)
                                           : 1 / layer.scales[axis];
  const auto position = static_cast<double>(i);
  return layer.coordinate == Coordinate::half_pixel ? (position + 0.5) * step - 0.5
                                                    : position * step;
}

// The cubic convolution kernel (Keys) with parameter a, at distance t.
double cubic_weight(double t, double a) {
  t = std::abs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

// weights[i][j]: how much of input j is in output i. Reads beyond an end read the end.
at::Tensor axis_weights(const core::Resize& layer, std::size_t axis, std::int64_t in,
                        std::int64_t out) {
  at::Tensor weights = at::zeros({out, in}, at::kDouble);
  auto cells = weights.accessor<double, 2>();
  const auto add = [&](std::int64_t i, double j, double weight) {
    cells[i][std::clamp<std::int64_t>(static_cast<std::int64_t>(j), 0, in - 1)] += weight;
  };
  for (std::int64_t i = 0; i < out; ++i) {
    double at = coordinate(layer, axis, i, in, out);
    if (layer.mode == ResizeMode::nearest) {
      add(i, std::floor(layer.rounding == NearestRounding::half_up ? at + 0.5 : at), 1);
      continue;
    }
    if (layer.mode == ResizeMode::linear) at = std::max(at, 0.0);
    const double low = std::floor(at);
    if (layer.mode == ResizeMode::linear) {
      add(i, low, 1 - (at - low));
      add(i, low + 1, at - low);
      continue;
    }
    for (int k = -1; k <= 2; ++k) add(i, low + k, cubic_weight(at - low - k, layer.cubic_a));
  }
  return weights;
}

// Any combination: one weight matrix per axis.
at::Tensor separable(const core::Resize& layer, const at::Tensor& x, at::IntArrayRef sizes) {
  at::Tensor y = x.to(at::kDouble);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t axis = y.dim() - static_cast<std::int64_t>(sizes.size() - i);
    const at::Tensor weights = axis_weights(layer, i, y.size(axis), sizes[i]).to(y.device());
    y = at::matmul(y.movedim(axis, -1), weights.t()).movedim(-1, axis);
  }
  return y.to(x.scalar_type());
}

}  // namespace

Tensors evaluate(const core::Resize& layer, const Call& call) {
  const at::Tensor& x = call[0];
  const core::Ints sizes = call.ints(1);
  const auto kept = x.dim() - static_cast<std::int64_t>(sizes.size());
  core::Ints folded{1, 1};
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < kept) {
      folded[1] *= x.size(i);
    } else {
      folded.push_back(x.size(i));
    }
  }
  const at::Tensor channels = x.reshape(folded);
  core::Ints dims(x.sizes().begin(), x.sizes().begin() + kept);
  dims.insert(dims.end(), sizes.begin(), sizes.end());
  const std::optional<at::Tensor> direct = upsample(layer, channels, sizes);
  return {(direct ? *direct : separable(layer, channels, sizes)).reshape(dims)};
}

}  // namespace torch_tensorrt::engines::reference
