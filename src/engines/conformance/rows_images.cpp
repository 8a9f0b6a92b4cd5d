#include <ATen/ATen.h>

#include <limits>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {
namespace {

using core::Coordinate;
using core::GridMode;
using core::GridPadding;
using core::NearestRounding;
using core::ResizeMode;

core::Dims image_dims(const Trial& t, const Ints& spatial) {
  core::Dims dims{t.dim(1, 2, 3), 3};
  for (const std::int64_t size : spatial) dims.push_back(t.dim(size - 1, size, size + 2));
  return dims;
}

void add_max_pool(Rows& rows, const std::string& name, const Ints& spatial,
                  const core::MaxPool& pool, const DTypes& dtypes = kF32) {
  rows.push_back(
      {"max_pool/" + name, dtypes, Tolerance::exact, [=](Trial& t) {
         t.output(t.net().one(pool, {t.input(image_dims(t, spatial))}));
         t.expect([=](const Tensors& in) -> Tensors {
           at::Tensor x = in[0];
           Ints pads = pool.pad_begin;
           if (pool.pad_begin != pool.pad_end) {
             Ints amounts;
             for (std::size_t i = pads.size(); i-- > 0;) {
               amounts.insert(amounts.end(), {pool.pad_begin[i], pool.pad_end[i]});
             }
             x = at::constant_pad_nd(x, amounts, -std::numeric_limits<double>::infinity());
             pads.assign(pads.size(), 0);
           }
           const bool ceil = pool.ceil_mode;
           switch (pool.window.size()) {
             case 1:
               return {at::max_pool1d(x, pool.window, pool.stride, pads, pool.dilation, ceil)};
             case 2:
               return {at::max_pool2d(x, pool.window, pool.stride, pads, pool.dilation, ceil)};
             default:
               return {at::max_pool3d(x, pool.window, pool.stride, pads, pool.dilation, ceil)};
           }
         });
       }});
}

void add_avg_pool(Rows& rows, const std::string& name, const Ints& spatial,
                  const core::AvgPool& pool, const DTypes& dtypes = kF32) {
  rows.push_back(
      {"avg_pool/" + name, dtypes, Tolerance::accumulated, [=](Trial& t) {
         t.output(t.net().one(pool, {t.input(image_dims(t, spatial))}));
         t.expect([=](const Tensors& in) -> Tensors {
           const at::Tensor& x = in[0];
           const bool ceil = pool.ceil_mode;
           const bool include = pool.count_include_pad;
           switch (pool.window.size()) {
             case 1:
               return {at::avg_pool1d(x, pool.window, pool.stride, pool.pad_begin, ceil, include)};
             case 2:
               return {at::avg_pool2d(x, pool.window, pool.stride, pool.pad_begin, ceil, include)};
             default:
               return {at::avg_pool3d(x, pool.window, pool.stride, pool.pad_begin, ceil, include)};
           }
         });
       }});
}

void add_pool_rows(Rows& rows) {
  add_max_pool(rows, "plain", {8, 8}, {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}, false}, kFloats);
  add_max_pool(rows, "pads", {8, 7}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, false}, kFloats);
  add_max_pool(rows, "uneven_pads", {8, 7}, {{3, 3}, {2, 2}, {0, 1}, {1, 0}, {1, 1}, false});
  add_max_pool(rows, "ceil", {7, 7}, {{2, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, true});
  add_max_pool(rows, "dilation", {9, 9}, {{3, 2}, {1, 2}, {1, 0}, {1, 0}, {2, 3}, false});
  add_max_pool(rows, "1d", {9}, {{3}, {2}, {1}, {1}, {1}, false});
  add_max_pool(rows, "3d", {5, 6, 5},
               {{2, 2, 3}, {2, 2, 1}, {0, 1, 1}, {0, 1, 1}, {1, 1, 1}, true});
  add_avg_pool(rows, "plain", {8, 8}, {{2, 2}, {2, 2}, {0, 0}, {0, 0}, false, true}, kFloats);
  add_avg_pool(rows, "include_pads", {8, 7}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, false, true},
               kFloats);
  add_avg_pool(rows, "exclude_pads", {8, 7}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, false, false});
  add_avg_pool(rows, "ceil_include", {6, 6}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, true, true});
  add_avg_pool(rows, "ceil_exclude", {6, 6}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, true, false});
  add_avg_pool(rows, "1d", {9}, {{3}, {2}, {1}, {1}, false, true});
  add_avg_pool(rows, "1d_ceil", {9}, {{4}, {3}, {1}, {1}, true, true});
  add_avg_pool(rows, "3d", {5, 6, 5}, {{2, 2, 3}, {2, 2, 1}, {0, 1, 1}, {0, 1, 1}, false, false});
  // Uneven padding in front, counted: the same as averaging a padded image.
  rows.push_back({"avg_pool/uneven_pads", kF32, Tolerance::accumulated, [](Trial& t) {
                    const core::AvgPool pool{{3, 2}, {2, 2}, {1, 0}, {0, 1}, false, true};
                    t.output(t.net().one(pool, {t.input(image_dims(t, {8, 7}))}));
                    t.expect([](const Tensors& in) -> Tensors {
                      const at::Tensor padded = at::constant_pad_nd(in[0], {0, 1, 1, 0});
                      return {at::avg_pool2d(padded, {3, 2}, {2, 2})};
                    });
                  }});
  rows.push_back({"adaptive_avg_pool/global", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input(image_dims(t, {6, 7}));
                    t.output(t.net().one(core::AdaptiveAvgPool{{1, 1}}, {x}));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {in[0].to(at::kFloat).mean({2, 3}, true).to(in[0].scalar_type())};
                    });
                  }});
  rows.push_back({"adaptive_avg_pool/2d", kFloats, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input(image_dims(t, {6, 7}));
                    t.output(t.net().one(core::AdaptiveAvgPool{{3, 5}}, {x}));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {at::adaptive_avg_pool2d(in[0], {3, 5})};
                    });
                  }});
  rows.push_back(
      {"adaptive_avg_pool/1d", kF32, Tolerance::accumulated, [](Trial& t) {
         const Value x = t.input(image_dims(t, {7}));
         t.output(t.net().one(core::AdaptiveAvgPool{{4}}, {x}));
         t.expect([](const Tensors& in) -> Tensors { return {at::adaptive_avg_pool1d(in[0], 4)}; });
       }});
  rows.push_back({"adaptive_avg_pool/3d", kF32, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input(image_dims(t, {4, 5, 4}));
                    t.output(t.net().one(core::AdaptiveAvgPool{{2, 3, 2}}, {x}));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {at::adaptive_avg_pool3d(in[0], {2, 3, 2})};
                    });
                  }});
}

core::Resize resize(ResizeMode mode, Coordinate coordinate,
                    NearestRounding rounding = NearestRounding::floor) {
  core::Resize layer;
  layer.mode = mode;
  layer.coordinate = coordinate;
  layer.rounding = rounding;
  return layer;
}

using Upsample = std::function<at::Tensor(const at::Tensor& x, at::IntArrayRef sizes)>;

// To the same sizes from every input.
void add_resize(Rows& rows, const std::string& name, const core::Resize& layer, const Ints& spatial,
                const Ints& sizes, const Upsample& f, const DTypes& dtypes = kF32) {
  rows.push_back({"resize/" + name, dtypes, Tolerance::pointwise, [=](Trial& t) {
                    const Value x = t.input(image_dims(t, spatial));
                    t.output(t.net().one(layer, {x, t.net().ints(sizes)}));
                    t.expect([=](const Tensors& in) -> Tensors { return {f(in[0], sizes)}; });
                  }});
}

void add_resize_rows(Rows& rows) {
  using T = const at::Tensor&;
  using S = at::IntArrayRef;
  const core::Resize nearest = resize(ResizeMode::nearest, Coordinate::asymmetric);
  add_resize(
      rows, "nearest", nearest, {4, 5}, {9, 7},
      [](T x, S s) { return at::upsample_nearest2d(x, s); }, kFloats);
  add_resize(rows, "nearest_1d", nearest, {5}, {8},
             [](T x, S s) { return at::upsample_nearest1d(x, s); });
  add_resize(rows, "nearest_3d", nearest, {3, 4, 3}, {5, 4, 6},
             [](T x, S s) { return at::upsample_nearest3d(x, s); });
  add_resize(rows, "nearest_exact",
             resize(ResizeMode::nearest, Coordinate::half_pixel, NearestRounding::half_up), {4, 5},
             {9, 3}, [](T x, S s) { return at::_upsample_nearest_exact2d(x, s); });
  const core::Resize linear = resize(ResizeMode::linear, Coordinate::half_pixel);
  const core::Resize corners = resize(ResizeMode::linear, Coordinate::align_corners);
  add_resize(
      rows, "bilinear", linear, {4, 5}, {9, 7},
      [](T x, S s) { return at::upsample_bilinear2d(x, s, false); }, kFloats);
  add_resize(rows, "bilinear_down", linear, {8, 9}, {4, 5},
             [](T x, S s) { return at::upsample_bilinear2d(x, s, false); });
  add_resize(rows, "bilinear_corners", corners, {4, 5}, {9, 7},
             [](T x, S s) { return at::upsample_bilinear2d(x, s, true); });
  add_resize(rows, "bilinear_to_one", linear, {4, 5}, {1, 1},
             [](T x, S s) { return at::upsample_bilinear2d(x, s, false); });
  add_resize(rows, "linear_1d", linear, {5}, {8},
             [](T x, S s) { return at::upsample_linear1d(x, s, false); });
  add_resize(rows, "trilinear", linear, {3, 4, 3}, {5, 6, 4},
             [](T x, S s) { return at::upsample_trilinear3d(x, s, false); });
  // Asymmetric coordinates to twice the size: every other element is the mean of its neighbours.
  add_resize(
      rows, "linear_asymmetric", resize(ResizeMode::linear, Coordinate::asymmetric), {5}, {10},
      [](T x, S s) {
        const at::Tensor at = at::arange(s[0], x.options()) * (double(x.size(2)) / double(s[0]));
        const at::Tensor low = at.floor().to(at::kLong);
        const at::Tensor high = (low + 1).clamp_max(x.size(2) - 1);
        return x.index_select(2, low) * (1 - at.frac()) + x.index_select(2, high) * at.frac();
      });
  add_resize(rows, "bicubic", resize(ResizeMode::cubic, Coordinate::half_pixel), {5, 6}, {9, 8},
             [](T x, S s) { return at::upsample_bicubic2d(x, s, false); });
  add_resize(rows, "bicubic_corners", resize(ResizeMode::cubic, Coordinate::align_corners), {5, 6},
             {9, 8}, [](T x, S s) { return at::upsample_bicubic2d(x, s, true); });
  rows.push_back({"resize/scales", kF32, Tolerance::pointwise, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input({t.dim(1, 2, 3), 3, 5, 6});
                    core::Resize layer = resize(ResizeMode::linear, Coordinate::half_pixel);
                    layer.scales = {1.7, 1.7};
                    t.output(net.one(layer, {x, net.ints({8, 10})}));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {at::upsample_bilinear2d(in[0], {8, 10}, false, 1.7, 1.7)};
                    });
                  }});
  rows.push_back({"resize/computed_sizes", kF32, Tolerance::pointwise, [](Trial& t) {
                    core::NetworkBuilder& net = t.net();
                    const Value x = t.input(image_dims(t, {4, 5}));
                    const core::Size two = std::int64_t{2};
                    const Value sizes =
                        net.vector({net.mul(net.size(x, 2), two), net.mul(net.size(x, 3), two)});
                    t.output(
                        net.one(resize(ResizeMode::nearest, Coordinate::asymmetric), {x, sizes}));
                    t.expect([](const Tensors& in) -> Tensors {
                      return {in[0].repeat_interleave(2, 2).repeat_interleave(2, 3)};
                    });
                  }});
}

void add_grid_sample(Rows& rows, GridMode mode, GridPadding padding, bool corners) {
  const auto mode_index = static_cast<std::size_t>(mode);
  const auto padding_index = static_cast<std::size_t>(padding);
  const std::string name = "grid_sample/" + std::string(core::enum_names<GridMode>[mode_index]) +
                           "_" + std::string(core::enum_names<GridPadding>[padding_index]) +
                           (corners ? "_corners" : "");
  rows.push_back({name, kF32, Tolerance::accumulated, [=](Trial& t) {
                    const Extent n = t.dim(1, 2, 3);
                    const Value x = t.input({n, 3, t.dim(3, 5, 6), 6});
                    const Value grid = t.input({n, 4, t.dim(2, 3, 5), 2}, uniform(-1.3, 1.3));
                    t.output(t.net().one(core::GridSample{mode, padding, corners}, {x, grid}));
                    t.expect([=](const Tensors& in) -> Tensors {
                      return {at::grid_sampler_2d(in[0], in[1], static_cast<std::int64_t>(mode),
                                                  static_cast<std::int64_t>(padding), corners)};
                    });
                  }});
}

}  // namespace

void add_image_rows(Rows& rows) {
  add_pool_rows(rows);
  add_resize_rows(rows);
  for (const GridMode mode : {GridMode::bilinear, GridMode::nearest, GridMode::cubic}) {
    for (const GridPadding padding :
         {GridPadding::zeros, GridPadding::border, GridPadding::reflection}) {
      add_grid_sample(rows, mode, padding, false);
    }
    add_grid_sample(rows, mode, GridPadding::zeros, true);
  }
  rows.push_back({"lrn/plain", kF32, Tolerance::accumulated, [](Trial& t) {
                    const Value x = t.input({t.dim(1, 2, 3), 6, t.dim(2, 4, 5), 4}, normal(0, 20));
                    t.output(t.net().one(core::Lrn{5, 0.01, 0.75, 2}, {x}));
                    t.expect([](const Tensors& in) -> Tensors {
                      Tensors channels;
                      for (std::int64_t c = 0; c < 6; ++c) {
                        const std::int64_t low = std::max<std::int64_t>(0, c - 2);
                        const std::int64_t high = std::min<std::int64_t>(6, c + 3);
                        const at::Tensor near = in[0].slice(1, low, high);
                        const at::Tensor base = (near * near).sum(1) / 5 * 0.01 + 2;
                        channels.push_back(in[0].select(1, c) / base.pow(0.75));
                      }
                      return {at::stack(channels, 1)};
                    });
                  }});
}

}  // namespace torch_tensorrt::engines::conformance
