#include <algorithm>

#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// Spatial attributes of images: an axis of one is put in front of a single one, since TensorRT
/// convolves 2-d and 3-d images only.
Ints spatial(const Ints& values, std::int64_t in_front) {
  if (values.size() != 1) return values;
  return {in_front, values.front()};
}

Tensor with_image_axis(Writer& net, const Tensor& x) {
  return x.rank() == 3 ? net.unsqueeze(x, {2}) : x;
}

/// The weights of a constant operand in the call itself, where refitting finds them; else as the
/// layer's second input.
struct Kernel {
  WeightsRef weights;
  std::optional<Tensor> tensor;
  Ints dims;  ///< of the window
};

Kernel kernel_of(const Site& site, std::size_t operand) {
  Writer& net = site.net();
  Kernel kernel;
  const Ints dims = dims_of(site.type(operand).dims);
  kernel.dims = spatial(Ints(dims.begin() + 2, dims.end()), 1);
  if (const core::Tensor* constant = site.constant(operand)) {
    kernel.weights = net.weights(constant->dtype, constant->bytes);
  } else {
    kernel.tensor = with_image_axis(net, site.in(operand));
  }
  return kernel;
}

WeightsRef bias_of(const Site& site, std::size_t operand) {
  if (!site.has(operand)) return {};
  const core::Tensor* constant = site.constant(operand);
  return constant ? site.net().weights(constant->dtype, constant->bytes) : WeightsRef{};
}

/// A bias [O] that is computed: [1,O,1,..].
Tensor add_bias(const Site& site, std::size_t operand, const Tensor& y) {
  Writer& net = site.net();
  Ints axes{0};
  for (int axis = 2; axis < y.rank(); ++axis) axes.push_back(axis);
  return net.add(y, net.unsqueeze(net.cast(site.in(operand), y.dtype), axes));
}

/// y with `amounts` zeros behind each spatial axis.
Tensor pad_end(Writer& net, const Tensor& y, const Ints& amounts) {
  Cut cut = whole(net, y);
  for (std::size_t i = 0; i < amounts.size(); ++i)
    cut.size[i + 2] = plus(net, cut.size[i + 2], amounts[i]);
  cut.mode = "FILL";
  return slice(net, y, cut);
}

}  // namespace

Tensors emit(const core::MatMul& layer, const Site& site) {
  if (!is_float(site.dtype()))
    throw site.refuse("takes f32, f16 and bf16, not ", core::name(site.dtype()));
  return {site.net().matmul(site.in(0), site.in(1), layer.transpose_a, layer.transpose_b)};
}

Tensors emit(const core::Einsum& layer, const Site& site) {
  std::vector<Ref> inputs;
  for (std::size_t i = 0; i < site.arity(); ++i) inputs.push_back(site.in(i).ref);
  const Ref einsum = site.net().add("add_einsum", {std::move(inputs), layer.equation});
  return {site.net().output(einsum, site.dtype(), site.result_dims())};
}

Tensors emit(const core::Conv& layer, const Site& site) {
  Writer& net = site.net();
  const Kernel kernel = kernel_of(site, 1);
  const Tensor x = with_image_axis(net, site.in(0));
  const std::int64_t channels = site.type(1).dims.front().opt;
  const WeightsRef bias = bias_of(site, 2);
  const Ref conv =
      net.add("add_convolution_nd", {x.ref, channels, kernel.dims, kernel.weights, bias});
  if (kernel.tensor) net.set_input(conv, 1, *kernel.tensor);
  net.set(conv, "stride_nd", spatial(layer.stride, 1));
  net.set(conv, "pre_padding", spatial(layer.pad_begin, 0));
  net.set(conv, "post_padding", spatial(layer.pad_end, 0));
  net.set(conv, "dilation_nd", spatial(layer.dilation, 1));
  net.set(conv, "num_groups", layer.groups);
  const bool is_1d = site.rank() == 3;
  Ints dims = site.result_dims();
  if (is_1d) dims.insert(dims.begin() + 2, 1);
  Tensor y = net.output(conv, site.dtype(), dims);
  if (site.has(2) && bias.index < 0) y = add_bias(site, 2, y);
  return {is_1d ? net.squeeze(y, {2}) : y};
}

Tensors emit(const core::Deconv& layer, const Site& site) {
  Writer& net = site.net();
  const auto above_one = [](const Ints& values) {
    return std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v > 1; });
  };
  if (above_one(layer.stride) && above_one(layer.dilation))
    throw site.refuse("takes a stride or a dilation, not both");
  if (site.dtype() == DType::bf16) throw site.refuse("takes f32 and f16, not bf16");
  const Kernel kernel = kernel_of(site, 1);
  const Tensor x = with_image_axis(net, site.in(0));
  // There is no output padding: it is padding taken back, and zeros where that is not enough.
  Ints end = layer.pad_end, missing(layer.pad_end.size());
  for (std::size_t i = 0; i < end.size(); ++i) {
    end[i] -= layer.output_padding[i];
    missing[i] = std::max<std::int64_t>(-end[i], 0);
    end[i] = std::max<std::int64_t>(end[i], 0);
  }
  const std::int64_t channels = site.type(1).dims.at(1).opt * layer.groups;
  // The bias is added to the zeros too.
  const bool is_padded = above_one(missing) || std::count(missing.begin(), missing.end(), 1) > 0;
  const WeightsRef bias = is_padded ? WeightsRef{} : bias_of(site, 2);
  const Ref deconv =
      net.add("add_deconvolution_nd", {x.ref, channels, kernel.dims, kernel.weights, bias});
  if (kernel.tensor) net.set_input(deconv, 1, *kernel.tensor);
  net.set(deconv, "stride_nd", spatial(layer.stride, 1));
  net.set(deconv, "pre_padding", spatial(layer.pad_begin, 0));
  net.set(deconv, "post_padding", spatial(end, 0));
  net.set(deconv, "dilation_nd", spatial(layer.dilation, 1));
  net.set(deconv, "num_groups", layer.groups);
  const bool is_1d = site.rank() == 3;
  Ints dims = site.result_dims();
  if (is_1d) dims.insert(dims.begin() + 2, 1);
  const Ints more = spatial(missing, 0);
  for (std::size_t i = 0; i < more.size(); ++i)
    if (dims[i + 2] >= 0) dims[i + 2] -= more[i];
  Tensor y = net.output(deconv, site.dtype(), dims);
  if (is_padded) y = pad_end(net, y, more);
  if (site.has(2) && bias.index < 0) y = add_bias(site, 2, y);
  return {is_1d ? net.squeeze(y, {2}) : y};
}

}  // namespace torch_tensorrt::engines::tensorrt
