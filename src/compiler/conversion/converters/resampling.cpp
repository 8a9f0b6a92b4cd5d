#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Coordinate;
using core::GridMode;
using core::GridPadding;
using core::Resize;
using core::ResizeMode;

/// floor(size * scale). Where the host computes it, scale is a fraction that integers can express.
Size scaled(OpContext& op, const Size& size, double scale) {
  if (const auto* n = number(size))
    return static_cast<std::int64_t>(std::floor(static_cast<double>(*n) * scale));
  for (std::int64_t denominator = 1; denominator <= 64; denominator *= 2) {
    const double numerator = scale * static_cast<double>(denominator);
    if (numerator != std::floor(numerator)) continue;
    auto& net = op.net();
    return net.floor_div(net.mul(size, static_cast<std::int64_t>(numerator)), denominator);
  }
  throw op.refuse("scale factor ", scale,
                  " on a dynamic dimension, expected a multiple of 1/64 or an output size");
}

/// Is out = in * scale exactly, so that the ratio of the sizes says the same as the scale?
bool is_exact(const Size& in, double scale) {
  const auto* n = number(in);
  const double out = (n ? static_cast<double>(*n) : 1.0) * scale;
  return out == std::floor(out);
}

/// Resizes the last axes of x. A scale that is not given follows from the sizes.
Value resize(OpContext& op, Value x, Resize layer, Sizes sizes,
             const std::vector<std::optional<double>>& scales) {
  auto& net = op.net();
  const int first = x.rank() - static_cast<int>(sizes.size());
  if (first < 2) throw op.refuse("self has rank ", x.rank(), ", expected ", sizes.size() + 2);
  bool needed = false;
  for (std::size_t i = 0; i < scales.size(); ++i) {
    needed |= scales[i] && !is_exact(net.size(x, first + static_cast<int>(i)), *scales[i]);
  }
  for (std::size_t i = 0;
       needed && layer.coordinate != Coordinate::align_corners && i < scales.size(); ++i) {
    const Size in = net.size(x, first + static_cast<int>(i));
    if (!scales[i] && !(number(in) && number(sizes[i]))) {
      throw op.refuse(
          "a scale factor is given for some dynamic dimensions only, expected all or none");
    }
    layer.scales.push_back(scales[i] ? *scales[i]
                                     : static_cast<double>(*number(sizes[i])) /
                                           static_cast<double>(*number(in)));
  }
  const DType dtype = x.dtype();
  const bool whole = !core::is_float(dtype) && layer.mode == ResizeMode::nearest;
  if (whole) x = net.cast(x, DType::f32);
  const Value y = net.one(std::move(layer), {x, net.vector(sizes)});
  return whole ? net.cast(y, dtype) : y;
}

Resize nearest() {
  return {.mode = ResizeMode::nearest, .coordinate = Coordinate::asymmetric, .scales = {}};
}
Resize nearest_exact() {
  return {.mode = ResizeMode::nearest,
          .coordinate = Coordinate::half_pixel,
          .rounding = core::NearestRounding::half_up,
          .scales = {}};
}
Resize smooth(OpContext& op, ResizeMode mode) {
  return {
      .mode = mode,
      .coordinate = op.flag("align_corners") ? Coordinate::align_corners : Coordinate::half_pixel,
      .scales = {}};
}

/// The names of the scales of n axes, in order.
template <std::size_t n>
constexpr auto scale_names() {
  if constexpr (n == 1) return std::array{"scales"};
  if constexpr (n == 2) return std::array{"scales_h", "scales_w"};
  if constexpr (n == 3) return std::array{"scales_d", "scales_h", "scales_w"};
}

/// (self, output_size, scales..)
template <std::size_t n>
Value upsample(OpContext& op, Resize layer) {
  std::vector<std::optional<double>> scales;
  for (const char* name : scale_names<n>()) {
    const std::optional<double> scale = op.optional_number(name);
    scales.push_back(scale && *scale > 0 ? scale : std::nullopt);
  }
  return resize(op, op.value("self"), std::move(layer), op.sizes("output_size"), scales);
}

/// (input, output_size or scale_factors)
template <std::size_t n>
Value upsample_vec(OpContext& op, Resize layer) {
  const Value x = op.value("input");
  if (!op.is_none("output_size"))
    return resize(op, x, std::move(layer), op.sizes("output_size"), {});
  Sizes sizes;
  std::vector<std::optional<double>> scales;
  for (const double factor : op.numbers("scale_factors")) {
    const int axis = x.rank() - static_cast<int>(n) + static_cast<int>(sizes.size());
    sizes.push_back(scaled(op, op.net().size(x, axis), factor));
    scales.push_back(factor);
  }
  return resize(op, x, std::move(layer), std::move(sizes), scales);
}

template <std::size_t n>
Value upsample_nearest(OpContext& op) {
  return upsample<n>(op, nearest());
}
template <std::size_t n>
Value upsample_nearest_vec(OpContext& op) {
  return upsample_vec<n>(op, nearest());
}
template <std::size_t n>
Value upsample_nearest_exact(OpContext& op) {
  return upsample<n>(op, nearest_exact());
}
template <std::size_t n>
Value upsample_nearest_exact_vec(OpContext& op) {
  return upsample_vec<n>(op, nearest_exact());
}
template <std::size_t n>
Value upsample_linear(OpContext& op) {
  return upsample<n>(op, smooth(op, ResizeMode::linear));
}
template <std::size_t n>
Value upsample_linear_vec(OpContext& op) {
  return upsample_vec<n>(op, smooth(op, ResizeMode::linear));
}
Value upsample_bicubic(OpContext& op) { return upsample<2>(op, smooth(op, ResizeMode::cubic)); }
Value upsample_bicubic_vec(OpContext& op) {
  return upsample_vec<2>(op, smooth(op, ResizeMode::cubic));
}

Value antialiased(OpContext& op) {
  throw op.refuse("antialiased resizing, which no engine computes as PyTorch does");
}

// ---- grids ----

Value grid_sampler(OpContext& op) {
  const Value x = op.value("input"), grid = op.value("grid");
  if (x.rank() != 4)
    throw op.refuse("input has rank ", x.rank(), ", expected 4 (two spatial axes)");
  const std::int64_t mode = op.integer("interpolation_mode"), padding = op.integer("padding_mode");
  constexpr std::array kModes = {GridMode::bilinear, GridMode::nearest, GridMode::cubic};
  constexpr std::array kPaddings = {GridPadding::zeros, GridPadding::border,
                                    GridPadding::reflection};
  if (mode < 0 || mode > 2) throw op.refuse("interpolation_mode is ", mode, ", expected 0, 1 or 2");
  if (padding < 0 || padding > 2)
    throw op.refuse("padding_mode is ", padding, ", expected 0, 1 or 2");
  return op.net().one(
      core::GridSample{kModes.at(static_cast<std::size_t>(mode)),
                       kPaddings.at(static_cast<std::size_t>(padding)), op.flag("align_corners")},
      {x, grid});
}

/// Coordinates -1..1 of n pixels: of their corners, or of their centers.
at::Tensor pixel_coordinates(std::int64_t n, bool align_corners) {
  if (n == 1) return at::zeros({1});
  const at::Tensor corners = at::linspace(-1, 1, n);
  return align_corners ? corners : corners * (static_cast<double>(n - 1) / static_cast<double>(n));
}

/// theta [N,k,k+1] times the homogeneous coordinates of every pixel; gives [N,(D,)H,W,k].
Value affine_grid_generator(OpContext& op) {
  auto& net = op.net();
  const Value theta = op.value("theta");
  const Sizes size = op.sizes("size");
  std::vector<at::Tensor> axes;
  Sizes shape = {Size(-1)};
  for (std::size_t i = 2; i < size.size(); ++i) {
    const auto* n = number(size[i]);
    if (n == nullptr) throw op.refuse("size[", i, "] is dynamic, expected a number");
    axes.push_back(pixel_coordinates(*n, op.flag("align_corners")));
    shape.push_back(size[i]);
  }
  // The last axis is x, the first coordinate.
  std::vector<at::Tensor> columns = at::meshgrid(axes, "ij");
  std::reverse(columns.begin(), columns.end());
  columns.push_back(at::ones_like(columns.front()));
  const at::Tensor base =
      at::stack(columns, -1).reshape({1, -1, static_cast<std::int64_t>(columns.size())});
  const Value points = op.constant(base.to(to_torch(theta.dtype())));
  shape.emplace_back(static_cast<std::int64_t>(axes.size()));
  return reshaped(net.matmul(points, theta, false, true), shape);
}

// ---- channels and pixels ----

/// `layer` on x [N,C,H,W], with the axes before C as one.
Value on_images(OpContext& op, Value x, core::Layer layer) {
  auto& net = op.net();
  if (x.rank() < 3) throw op.refuse("self has rank ", x.rank(), ", expected at least 3");
  const int batch = x.rank() - 3;
  Sizes leading;
  for (int i = 0; i < batch; ++i) leading.push_back(net.size(x, i));
  x = batch == 0 ? net.unsqueeze(x, {0}) : merged(x, 0, batch);
  const Value y = net.one(std::move(layer), {x});
  if (batch == 0) return net.squeeze(y, {0});
  return batch == 1 ? y : unmerged(y, 0, leading);
}

Value pixel_shuffle(OpContext& op) {
  return on_images(op, op.value("self"), core::DepthToSpace{.block = op.integer("upscale_factor")});
}
Value pixel_unshuffle(OpContext& op) {
  return on_images(op, op.value("self"),
                   core::SpaceToDepth{.block = op.integer("downscale_factor")});
}

Value channel_shuffle(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const std::int64_t groups = op.integer("groups");
  const Value split = unmerged(x, 1, {Size(groups), net.floor_div(net.size(x, 1), groups)});
  const Value mixed = permuted(split, moving(split.rank(), {1, 2}, {2, 1}));
  return merged(mixed, 1, 2);
}

void add_nearest_ops(OpTable& table) {
  table.add<upsample_nearest<1>>(
      "aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor");
  table.add<upsample_nearest<2>>(
      "aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
      "scales_w=None) -> "
      "Tensor");
  table.add<upsample_nearest<3>>(
      "aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
      "scales_h=None, float? "
      "scales_w=None) -> Tensor");
  table.add<upsample_nearest_vec<1>>(
      "aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) "
      "-> Tensor");
  table.add<upsample_nearest_vec<2>>(
      "aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) "
      "-> Tensor");
  table.add<upsample_nearest_vec<3>>(
      "aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) "
      "-> Tensor");
  table.add<upsample_nearest_exact<1>>(
      "aten::_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, float? scales=None) -> "
      "Tensor");
  table.add<upsample_nearest_exact<2>>(
      "aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, "
      "float? scales_w=None) "
      "-> Tensor");
  table.add<upsample_nearest_exact<3>>(
      "aten::_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, float? scales_d=None, "
      "float? scales_h=None, "
      "float? scales_w=None) -> Tensor");
  table.add<upsample_nearest_exact_vec<1>>(
      "aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? "
      "scale_factors) -> Tensor");
  table.add<upsample_nearest_exact_vec<2>>(
      "aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? "
      "scale_factors) -> Tensor");
  table.add<upsample_nearest_exact_vec<3>>(
      "aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? "
      "scale_factors) -> Tensor");
}

void add_smooth_ops(OpTable& table) {
  table.add<upsample_linear<1>>(
      "aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? "
      "scales=None) -> Tensor");
  table.add<upsample_linear<2>>(
      "aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? "
      "scales_h=None, float? "
      "scales_w=None) -> Tensor");
  table.add<upsample_linear<3>>(
      "aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? "
      "scales_d=None, float? "
      "scales_h=None, float? scales_w=None) -> Tensor");
  table.add<upsample_bicubic>(
      "aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? "
      "scales_h=None, float? "
      "scales_w=None) -> Tensor");
  table.add<upsample_linear_vec<1>>(
      "aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
      "float[]? scale_factors) -> "
      "Tensor");
  table.add<upsample_linear_vec<2>>(
      "aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
      "float[]? scale_factors) "
      "-> Tensor");
  table.add<upsample_linear_vec<3>>(
      "aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
      "float[]? scale_factors) "
      "-> Tensor");
  table.add<upsample_bicubic_vec>(
      "aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
      "float[]? scale_factors) "
      "-> Tensor");
  table
      .add<antialiased>(
          "aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, "
          "float? scales_h=None, "
          "float? scales_w=None) -> Tensor")
      .also("aten::_upsample_bilinear2d_aa.vec")
      .also("aten::_upsample_bicubic2d_aa")
      .also("aten::_upsample_bicubic2d_aa.vec");
}

}  // namespace

void add_resampling_ops(OpTable& table) {
  add_nearest_ops(table);
  add_smooth_ops(table);
  table
      .add<grid_sampler>(
          "aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
          "bool align_corners) -> "
          "Tensor")
      .also("aten::grid_sampler_2d")
      .also("aten::grid_sampler_3d");
  table.add<affine_grid_generator>(
      "aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor");
  table.add<pixel_shuffle>("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor");
  table.add<pixel_unshuffle>("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor");
  table.add<channel_shuffle>("aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor")
      .also("aten::native_channel_shuffle");
}

}  // namespace torch_tensorrt::compiler
