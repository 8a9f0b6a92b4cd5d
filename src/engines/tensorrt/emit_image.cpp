// Pooling and image layers.

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

using core::Coordinate;
using core::GridMode;
using core::GridPadding;
using core::NearestRounding;
using core::ResizeMode;

namespace {

bool all_equal(const Ints& values, std::int64_t number) {
  return std::ranges::all_of(values, [number](std::int64_t value) { return value == number; });
}

std::int64_t dim_of(const Tensor& x, std::size_t axis) { return x.dims.at(axis); }

// ---- pools ----

struct Pool {
  std::string_view type;  ///< a PoolingType
  Ints window, stride, pad_begin, pad_end, dilation;
  bool ceil_mode = false, count_include_pad = false;

  std::size_t spatial() const { return window.size(); }
  /// From the first to the last element of a window.
  std::int64_t reach(std::size_t i) const { return dilation[i] * (window[i] - 1) + 1; }
};

/// ATen's size: in ceil mode the last window may hang over the end, but begins before it.
Size pooled_size(Writer& net, const Pool& pool, std::size_t i, const Size& in) {
  const Size stride = pool.stride[i], one = std::int64_t{1};
  const std::int64_t over_end = pool.ceil_mode ? pool.stride[i] - 1 : 0;
  const Size room = plus(net, in, pool.pad_begin[i] + pool.pad_end[i] - pool.reach(i) + over_end);
  const Size out = plus(net, over(net, room, stride), one);
  if (!pool.ceil_mode) return out;
  const Size last = over(net, plus(net, in, pool.pad_begin[i] - 1), stride);
  return least(net, out, plus(net, last, one));
}

/// From the start of the first window to the end of the last.
Size covered_size(Writer& net, const Pool& pool, std::size_t i, const Size& in) {
  const Size last = minus(net, pooled_size(net, pool, i, in), std::int64_t{1});
  return plus(net, times(net, last, pool.stride[i]), pool.reach(i));
}

/// TensorRT pools images and volumes: a signal [N,C,L] is an image [N,C,1,L].
Pool as_image(Pool pool) {
  for (Ints* list : {&pool.window, &pool.stride, &pool.dilation}) list->insert(list->begin(), 1);
  for (Ints* list : {&pool.pad_begin, &pool.pad_end}) list->insert(list->begin(), 0);
  return pool;
}

Tensor native_pool(Writer& net, const Tensor& x, const Pool& pool) {
  const Ref layer =
      net.add("add_pooling_nd", {x.ref, Symbol{"PoolingType", pool.type}, pool.window});
  net.set(layer, "stride_nd", pool.stride);
  net.set(layer, "pre_padding", pool.pad_begin);
  net.set(layer, "post_padding", pool.pad_end);
  if (pool.ceil_mode) net.set(layer, "padding_mode", Symbol{"PaddingMode", "EXPLICIT_ROUND_UP"});
  if (pool.type == "AVERAGE")
    net.set(layer, "average_count_excludes_padding", !pool.count_include_pad);
  Ints dims = x.dims;
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    std::int64_t& dim = dims[i + 2];
    if (dim >= 0) dim = std::get<std::int64_t>(pooled_size(net, pool, i, dim));
  }
  return net.output(layer, x.dtype, dims);
}

/// Ceil mode as end padding, where the size is known: rounding up, TensorRT would keep a window
/// that begins in the padding. Where it is not, rounding up must do.
Pool with_exact_ends(Writer& net, const Tensor& x, Pool pool) {
  if (!pool.ceil_mode) return pool;
  Pool exact = pool;
  exact.ceil_mode = false;
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    const std::int64_t in = dim_of(x, i + 2);
    if (in < 0) {
      exact.ceil_mode = true;
      continue;
    }
    const auto covered = std::get<std::int64_t>(covered_size(net, pool, i, in));
    exact.pad_end[i] = std::max<std::int64_t>(0, covered - in - pool.pad_begin[i]);
  }
  return exact;
}

/// Whether TensorRT's rounding up may give a window that ATen drops: sizes are known later, and a
/// window may begin past the image.
bool may_drop_window(const Tensor& x, const Pool& pool) {
  if (!pool.ceil_mode) return false;
  bool is_dynamic = false, begins_late = false;
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    is_dynamic = is_dynamic || dim_of(x, i + 2) < 0;
    begins_late = begins_late || pool.stride[i] > pool.reach(i) - pool.pad_end[i];
  }
  return is_dynamic && begins_late;
}

/// Whether a window may end past the padded image.
bool may_hang_over(Writer& net, const Tensor& x, const Pool& pool) {
  if (!pool.ceil_mode) return false;
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    const std::int64_t in = dim_of(x, i + 2);
    if (in < 0) return true;
    const auto covered = std::get<std::int64_t>(covered_size(net, pool, i, in));
    if (covered > in + pool.pad_begin[i] + pool.pad_end[i]) return true;
  }
  return false;
}

/// x from `begin` elements before its start, as long as the windows reach.
Tensor padded(Writer& net, const Tensor& x, const Sizes& covered, const Ints& begin, double fill) {
  Cut cut = whole(net, x);
  for (std::size_t i = 0; i < begin.size(); ++i) {
    cut.start[i + 2] = -begin[i];
    cut.size[i + 2] = covered[i];
  }
  cut.mode = "FILL";
  if (fill != 0) cut.fill = net.number(fill, x.dtype);
  return slice(net, x, cut);
}

Pool without_padding(Pool pool) {
  pool.pad_begin.assign(pool.spatial(), 0);
  pool.pad_end.assign(pool.spatial(), 0);
  pool.ceil_mode = false;
  pool.count_include_pad = true;
  return pool;
}

Sizes covered_sizes(Writer& net, const Tensor& x, const Pool& pool) {
  Sizes covered;
  for (std::size_t i = 0; i < pool.spatial(); ++i)
    covered.push_back(
        covered_size(net, pool, i, size_of(net, x, static_cast<std::int64_t>(i) + 2)));
  return covered;
}

/// The average of x over that of a mask of what counts: TensorRT divides by the whole window or by
/// the part within the image, ATen by the part within the padded image.
Tensor masked_average(Writer& net, const Tensor& x, const Pool& pool) {
  const Sizes covered = covered_sizes(net, x, pool);
  Sizes counted(2, std::int64_t{1});
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    const std::int64_t pads = pool.count_include_pad ? pool.pad_begin[i] + pool.pad_end[i] : 0;
    counted.push_back(plus(net, size_of(net, x, static_cast<std::int64_t>(i) + 2), pads));
  }
  const Tensor ones = broadcast(net, net.number(1, x.dtype, x.rank()), counted);
  const Ints start = pool.count_include_pad ? Ints(pool.spatial(), 0) : pool.pad_begin;
  const Tensor mask = padded(net, ones, covered, start, 0);
  const Pool bare = without_padding(pool);
  return net.div(native_pool(net, padded(net, x, covered, pool.pad_begin, 0), bare),
                 native_pool(net, mask, bare));
}

Tensor max_pool(Writer& net, const Tensor& x, const Pool& pool) {
  if (!may_drop_window(x, pool)) return native_pool(net, x, with_exact_ends(net, x, pool));
  constexpr double kLowest = -std::numeric_limits<double>::infinity();
  const Tensor all = padded(net, x, covered_sizes(net, x, pool), pool.pad_begin, kLowest);
  return native_pool(net, all, without_padding(pool));
}

Tensor average_pool(Writer& net, const Tensor& x, Pool pool) {
  const bool is_padded = !all_equal(pool.pad_begin, 0) || !all_equal(pool.pad_end, 0);
  if (!is_padded) pool.count_include_pad = false;
  const bool counts_too_much = pool.count_include_pad && may_hang_over(net, x, pool);
  if (counts_too_much || may_drop_window(x, pool)) return masked_average(net, x, pool);
  return native_pool(net, x, with_exact_ends(net, x, pool));
}

template <typename F>
Tensor on_image(Writer& net, const Tensor& x, const Pool& pool, F compute) {
  if (x.rank() > 3) return compute(net, x, pool);
  return net.squeeze(compute(net, net.unsqueeze(x, {2}), as_image(pool)), {2});
}

/// The greatest of shifted slices, axis by axis: TensorRT has no dilation.
Tensor dilated_max(Writer& net, Tensor x, const Pool& pool) {
  const Tensor lowest = net.number(-std::numeric_limits<double>::infinity(), x.dtype);
  for (std::size_t i = 0; i < pool.spatial(); ++i) {
    const std::size_t axis = i + 2;
    Cut cut = whole(net, x);
    cut.size[axis] = pooled_size(net, pool, i, cut.size[axis]);
    cut.step[axis] = pool.stride[i];
    cut.mode = "FILL";
    cut.fill = lowest;
    std::optional<Tensor> greatest;
    for (std::int64_t k = 0; k < pool.window[i]; ++k) {
      cut.start[axis] = k * pool.dilation[i] - pool.pad_begin[i];
      const Tensor shifted = slice(net, x, cut);
      greatest = greatest ? net.elementwise("MAX", *greatest, shifted) : shifted;
    }
    x = *greatest;
  }
  return x;
}

// ---- linear maps along one axis ----

/// y[.., i, ..] = sum over j of matrix[i, j] x[.., j, ..] along `axis`.
Tensor apply_along(Writer& net, const Tensor& x, std::int64_t axis,
                   const std::vector<float>& matrix) {
  const int rank = x.rank();
  if (rank == 1) return net.squeeze(apply_along(net, net.unsqueeze(x, {0}), 1, matrix), {0});
  const std::int64_t columns = dim_of(x, static_cast<std::size_t>(axis));
  Ints dims(static_cast<std::size_t>(rank), 1);
  dims[dims.size() - 2] = static_cast<std::int64_t>(matrix.size()) / columns;
  dims[dims.size() - 1] = columns;
  const Tensor weights = floats(net, matrix, dims, x.dtype);
  if (axis == rank - 2) return net.matmul(weights, x);
  Ints swap = iota(rank);
  std::swap(swap[static_cast<std::size_t>(axis)], swap.back());
  const bool is_last = axis == rank - 1;
  const Tensor y = net.matmul(is_last ? x : net.transpose(x, swap), weights, false, true);
  return is_last ? y : net.transpose(y, swap);
}

/// Row i averages the elements that ATen's output i takes.
std::vector<float> averaging_matrix(std::int64_t in, std::int64_t out) {
  std::vector<float> matrix(static_cast<std::size_t>(in * out));
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t start = i * in / out, end = ((i + 1) * in + out - 1) / out;
    for (std::int64_t j = start; j < end; ++j)
      matrix[static_cast<std::size_t>(i * in + j)] = 1.0F / static_cast<float>(end - start);
  }
  return matrix;
}

/// Averages to the sizes of `layer` where they divide x's.
std::optional<Pool> dividing_pool(const core::AdaptiveAvgPool& layer, const Tensor& x) {
  Ints window;
  for (std::size_t i = 0; i < layer.output_size.size(); ++i) {
    const std::int64_t in = dim_of(x, i + 2), out = layer.output_size[i];
    if (in <= 0 || out == 0 || in % out != 0) return std::nullopt;
    window.push_back(in / out);
  }
  const Ints none(window.size(), 0), once(window.size(), 1);
  return Pool{"AVERAGE", window, window, none, none, once, false, false};
}

/// One axis of an adaptive pool.
Tensor adaptive_average(const Site& site, const Tensor& x, std::int64_t axis, std::int64_t out) {
  const std::int64_t in = dim_of(x, static_cast<std::size_t>(axis));
  if (out == 1) return site.net().reduce("AVG", x, {axis}, /*keepdims=*/true);
  if (in == out) return x;
  if (in < 0 || out == 0) {
    throw site.refuse("axis ", axis, " has a dynamic or empty size, expected a static one for ",
                      "output size ", out, "; give the dimension one size, or pool to size 1");
  }
  return apply_along(site.net(), x, axis, averaging_matrix(in, out));
}

// ---- resize ----

/// With whole scales the sizes say the same and are exact; corners do not look at scales.
bool sizes_suffice(const core::Resize& layer) {
  if (layer.scales.empty() || layer.coordinate == Coordinate::align_corners) return true;
  return std::ranges::all_of(layer.scales, [](double s) { return s >= 1 && s == std::floor(s); });
}

std::string_view mode_of(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::nearest:
      return "NEAREST";
    case ResizeMode::linear:
      return "LINEAR";
    case ResizeMode::cubic:
      return "CUBIC";
  }
  throw core::internal_error("tensorrt: unknown resize mode");
}

std::string_view transformation_of(Coordinate coordinate) {
  switch (coordinate) {
    case Coordinate::asymmetric:
      return "ASYMMETRIC";
    case Coordinate::half_pixel:
      return "HALF_PIXEL";
    case Coordinate::align_corners:
      return "ALIGN_CORNERS";
  }
  throw core::internal_error("tensorrt: unknown coordinate mode");
}

Tensor native_resize(const core::Resize& layer, const Site& site, const Sizes& sizes) {
  Writer& net = site.net();
  const Ref resize = net.add("add_resize", {site.in(0).ref});
  net.set(resize, "resize_mode", Symbol{"InterpolationMode", mode_of(layer.mode)});
  net.set(resize, "coordinate_transformation",
          Symbol{"ResizeCoordinateTransformation", transformation_of(layer.coordinate)});
  if (layer.mode == ResizeMode::nearest) {
    const bool floors = layer.rounding == NearestRounding::floor;
    net.set(resize, "nearest_rounding", Symbol{"ResizeRoundMode", floors ? "FLOOR" : "HALF_UP"});
  }
  if (layer.mode == ResizeMode::cubic) net.set(resize, "cubic_coeff", layer.cubic_a);
  if (all_known(sizes))
    net.set(resize, "shape", dims_of(sizes));
  else
    net.set_input(resize, 1, as_vector(net, sizes));
  return net.output(resize, site.dtype(), site.result_dims());
}

/// One axis of a resize of known sizes.
struct Line {
  const core::Resize& layer;
  std::int64_t in, out;
  float ratio;  ///< in / out, or what the scale says

  /// Where output `i` lies among the inputs. In f32, as ATen computes it.
  float position(std::int64_t i) const {
    const auto at = static_cast<float>(i);
    switch (layer.coordinate) {
      case Coordinate::asymmetric:
        return at * ratio;
      case Coordinate::half_pixel:
        return (at + 0.5F) * ratio - 0.5F;
      case Coordinate::align_corners:
        return out > 1 ? at * (static_cast<float>(in - 1) / static_cast<float>(out - 1)) : 0;
    }
    throw core::internal_error("tensorrt: unknown coordinate mode");
  }
  std::int64_t clamped(float index) const {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(index), 0, in - 1);
  }
};

Tensor nearest_along(Writer& net, const Tensor& x, std::int64_t axis, const Line& line) {
  const float shift = line.layer.rounding == NearestRounding::floor ? 0 : 0.5F;
  Ints indices;
  for (std::int64_t i = 0; i < line.out; ++i)
    indices.push_back(line.clamped(std::floor(line.position(i) + shift)));
  return net.gather(x, net.ints(indices), axis);
}

/// The weight of an input at distance `d` of at most 2.
float cubic_weight(float d, float a) {
  d = std::abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

std::vector<float> interpolation_matrix(const Line& line) {
  const bool is_cubic = line.layer.mode == ResizeMode::cubic;
  std::vector<float> matrix(static_cast<std::size_t>(line.in * line.out));
  for (std::int64_t i = 0; i < line.out; ++i) {
    const float at = is_cubic ? line.position(i) : std::max(0.0F, line.position(i));
    const float first = std::floor(at);
    for (int tap = is_cubic ? -1 : 0; tap <= (is_cubic ? 2 : 1); ++tap) {
      const float index = first + static_cast<float>(tap), distance = std::abs(at - index);
      const float weight =
          is_cubic ? cubic_weight(distance, static_cast<float>(line.layer.cubic_a)) : 1 - distance;
      // Beyond the border the border's element counts.
      matrix[static_cast<std::size_t>(i * line.in + line.clamped(index))] += weight;
    }
  }
  return matrix;
}

/// Axis by axis, with constant indices or weights: for what TensorRT's own layer cannot say.
Tensor composed_resize(const core::Resize& layer, const Site& site, const Sizes& sizes) {
  Writer& net = site.net();
  const auto count = static_cast<std::size_t>(site.type(1).dims.front().opt);
  const std::size_t first = static_cast<std::size_t>(site.rank()) - count;
  // Weights and sums of 16 bits would round at every axis.
  Tensor y = layer.mode == ResizeMode::nearest ? site.in(0) : net.cast(site.in(0), DType::f32);
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<std::int64_t>(first + i);
    const std::int64_t in = dim_of(y, first + i), out = dims_of(sizes)[first + i];
    if (in <= 0 || out <= 0) {
      throw site.refuse("a resize by fractional scales needs static sizes; resize to a size, give ",
                        "recompute_scale_factor=True, or make the dimension static");
    }
    const double ratio = layer.scales.empty() ? static_cast<double>(in) / static_cast<double>(out)
                                              : 1 / layer.scales[i];
    const Line line{layer, in, out, static_cast<float>(ratio)};
    y = layer.mode == ResizeMode::nearest ? nearest_along(net, y, axis, line)
                                          : apply_along(net, y, axis, interpolation_matrix(line));
  }
  return net.cast(y, site.dtype());
}

// ---- grid_sample ----

std::string_view mode_of(GridMode mode) {
  switch (mode) {
    case GridMode::bilinear:
      return "LINEAR";
    case GridMode::nearest:
      return "NEAREST";
    case GridMode::cubic:
      return "CUBIC";
  }
  throw core::internal_error("tensorrt: unknown grid mode");
}

std::string_view sample_mode(GridPadding padding) {
  switch (padding) {
    case GridPadding::zeros:
      return "FILL";
    case GridPadding::border:
      return "CLAMP";
    case GridPadding::reflection:
      return "REFLECT";
  }
  throw core::internal_error("tensorrt: unknown grid padding");
}

/// TensorRT ignores parameters beyond its limits, with a message.
void require_limits(const core::Lrn& layer, const Site& site) {
  const bool fits = layer.size <= 15 && std::abs(layer.alpha) <= 1e20 && layer.beta >= 0.01 &&
                    layer.beta <= 1e5 && layer.k >= 1e-5 && layer.k <= 1e10;
  if (!fits) {
    throw site.refuse("size is ", layer.size, ", alpha ", layer.alpha, ", beta ", layer.beta,
                      ", k ", layer.k,
                      ", expected size <= 15, beta in 0.01..1e5 and k in 1e-5..1e10");
  }
}

}  // namespace

Tensors emit(const core::MaxPool& layer, const Site& site) {
  const Pool pool{"MAX",         layer.window,   layer.stride,    layer.pad_begin,
                  layer.pad_end, layer.dilation, layer.ceil_mode, false};
  if (!all_equal(layer.dilation, 1)) return {dilated_max(site.net(), site.in(0), pool)};
  return {on_image(site.net(), site.in(0), pool, max_pool)};
}

Tensors emit(const core::AvgPool& layer, const Site& site) {
  const Pool pool{"AVERAGE",       layer.window,           layer.stride,
                  layer.pad_begin, layer.pad_end,          Ints(layer.window.size(), 1),
                  layer.ceil_mode, layer.count_include_pad};
  return {on_image(site.net(), site.in(0), pool, average_pool)};
}

Tensors emit(const core::AdaptiveAvgPool& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const int count = static_cast<int>(layer.output_size.size());
  if (all_equal(layer.output_size, 1)) return {net.reduce("AVG", x, iota(count, 2), true)};
  if (const auto pool = dividing_pool(layer, x)) return {on_image(net, x, *pool, native_pool)};
  // Averages of averages in 16 bits would round at every axis.
  Tensor y = net.cast(x, DType::f32);
  for (int i = 0; i < count; ++i)
    y = adaptive_average(site, y, i + 2, layer.output_size[static_cast<std::size_t>(i)]);
  return {net.cast(y, x.dtype)};
}

Tensors emit(const core::Resize& layer, const Site& site) {
  Sizes sizes = sizes_of(site.net(), site.in(0));
  const Sizes resized = host_sizes(site, 1);
  std::ranges::copy(resized, sizes.end() - static_cast<std::ptrdiff_t>(resized.size()));
  // By its documentation TensorRT's cubic mode is one of images.
  const bool takes_rank =
      layer.mode != ResizeMode::cubic || (resized.size() <= 2 && site.rank() > 1);
  if (sizes_suffice(layer) && takes_rank) return {native_resize(layer, site, sizes)};
  return {composed_resize(layer, site, sizes)};
}

Tensors emit(const core::GridSample& layer, const Site& site) {
  Writer& net = site.net();
  const Ref sample = net.add("add_grid_sample", {site.in(0).ref, site.in(1).ref});
  net.set(sample, "interpolation_mode", Symbol{"InterpolationMode", mode_of(layer.mode)});
  net.set(sample, "sample_mode", Symbol{"SampleMode", sample_mode(layer.padding)});
  net.set(sample, "align_corners", layer.align_corners);
  return {net.output(sample, site.dtype(), site.result_dims())};
}

Tensors emit(const core::Lrn& layer, const Site& site) {
  require_limits(layer, site);
  Writer& net = site.net();
  // Rank 3 is refused; only the channels, axis 1, matter.
  const bool widen = site.rank() == 3;
  const Tensor x = widen ? net.unsqueeze(site.in(0), {3}) : site.in(0);
  const Ref lrn = net.add("add_lrn", {x.ref, layer.size, layer.alpha, layer.beta, layer.k});
  const Tensor y = net.output(lrn, x.dtype, x.dims);
  return {widen ? net.squeeze(y, {3}) : y};
}

}  // namespace torch_tensorrt::engines::tensorrt
