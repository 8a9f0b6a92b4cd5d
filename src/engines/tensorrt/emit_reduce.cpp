#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// TensorRT's limit for one top-k.
constexpr std::int64_t kMostTopK = 3840;

std::string_view operation_of(core::ReduceOp op) {
  using core::ReduceOp;
  switch (op) {
    case ReduceOp::sum:
      return "SUM";
    case ReduceOp::prod:
      return "PROD";
    case ReduceOp::max:
    case ReduceOp::any:
      return "MAX";
    case ReduceOp::min:
    case ReduceOp::all:
      return "MIN";
    case ReduceOp::mean:
      return "AVG";
  }
  return {};
}

}  // namespace

Tensors emit(const core::Reduce& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  // Bools are no numbers.
  const Tensor numbers = x.dtype == DType::b ? net.cast(x, DType::i32) : x;
  const Tensor result = net.reduce(operation_of(layer.op), numbers, layer.axes, layer.keepdims);
  return {net.cast(result, x.dtype)};
}

Tensors emit(const core::Softmax& layer, const Site& site) {
  return {site.net().softmax(site.in(0), layer.axis)};
}

/// x - max - log(sum(e^(x - max))), exact in the tails.
Tensors emit(const core::LogSoftmax& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const Tensor shifted = net.sub(x, net.reduce("MAX", x, {layer.axis}, true));
  const Tensor sum = net.reduce("SUM", net.unary("EXP", shifted), {layer.axis}, true);
  return {net.sub(shifted, net.unary("LOG", sum))};
}

Tensors emit(const core::TopK& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  if (x.rank() == 1) {
    // A vector is refused.
    throw site.refuse("takes no vectors");
  }
  const auto k = site.numbers(1);
  const auto axis = static_cast<std::size_t>(layer.axis);
  const std::int64_t most = k ? k->front() : site.type(0).dims.at(axis).max;
  if (most > kMostTopK) throw site.refuse("takes k up to ", kMostTopK, ", got up to ", most);
  const Ref topk =
      net.add("add_topk", {x.ref, Symbol{"TopKOperation", layer.largest ? "MAX" : "MIN"},
                           k ? k->front() : 1, axes_mask({layer.axis})});
  if (!k) net.set_input(topk, 1, site.in(1));
  const Tensor values = net.output(topk, x.dtype, site.result_dims(0), 0);
  // i64 indices came with 10.14; 32 bits hold them in every version.
  const Tensor indices = net.output(topk, DType::i32, site.result_dims(1), 1);
  return {values, net.cast(indices, DType::i64)};
}

Tensors emit(const core::CumSum& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const Tensor axis = net.scalar_i64(layer.axis);
  const Ref cumsum = net.add(
      "add_cumulative",
      {x.ref, axis.ref, Symbol{"CumulativeOperation", "SUM"}, layer.exclusive, layer.reverse});
  return {net.output(cumsum, x.dtype, x.dims)};
}

}  // namespace torch_tensorrt::engines::tensorrt
