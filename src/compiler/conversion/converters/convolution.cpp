#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

struct Convolution {
  Ints stride, pad_begin, pad_end, dilation;
  Ints output_padding = {};
  std::int64_t groups = 1;
  bool transposed = false;
};

std::size_t spatial_axes(OpContext& op, const Value& weight) {
  if (weight.rank() < 3 || weight.rank() > 5) {
    throw op.refuse("weight has rank ", weight.rank(), ", expected 3 to 5 (1 to 3 spatial axes)");
  }
  return static_cast<std::size_t>(weight.rank()) - 2;
}

/// x [N,C,spatial..], or [C,spatial..] without a batch.
Value convolve(Value x, Value weight, std::optional<Value> bias, Convolution c) {
  auto& net = x.builder();
  const bool batched = x.rank() == weight.rank();
  if (!batched) x = net.unsqueeze(x, {0});
  std::vector<Value> inputs = {x, weight};
  if (bias) inputs.push_back(*bias);
  core::Layer layer = core::Conv{c.stride, c.pad_begin, c.pad_end, c.dilation, c.groups};
  if (c.transposed)
    layer = core::Deconv{c.stride, c.pad_begin, c.pad_end, c.output_padding, c.dilation, c.groups};
  const Value y = net.add(std::move(layer), inputs).front();
  return batched ? y : net.squeeze(y, {0});
}

/// conv1d/2d/3d, conv_transpose*, convolution and _convolution: numbers for padding.
Value convolution(OpContext& op, bool transposed) {
  const Value weight = op.value("weight");
  const std::size_t n = spatial_axes(op, weight);
  Convolution c{.stride = op.expanded("stride", n),
                .pad_begin = op.expanded("padding", n),
                .pad_end = op.expanded("padding", n),
                .dilation = op.expanded("dilation", n),
                .groups = op.integer("groups"),
                .transposed = transposed};
  if (transposed) c.output_padding = op.expanded("output_padding", n);
  return convolve(op.value("input"), weight, op.optional("bias"), std::move(c));
}

Value forward_convolution(OpContext& op) { return convolution(op, false); }
Value transposed_convolution(OpContext& op) { return convolution(op, true); }
Value either_convolution(OpContext& op) { return convolution(op, op.flag("transposed")); }

/// padding is "valid" or "same"; the odd element of "same" goes to the end.
Value named_padding_convolution(OpContext& op) {
  const Value weight = op.value("weight");
  const std::size_t n = spatial_axes(op, weight);
  const std::string padding = op.string("padding");
  if (padding != "same" && padding != "valid") {
    throw op.refuse("padding is '", padding, "', expected 'same' or 'valid'");
  }
  Convolution c{.stride = op.expanded("stride", n),
                .pad_begin = Ints(n, 0),
                .pad_end = Ints(n, 0),
                .dilation = op.expanded("dilation", n),
                .groups = op.integer("groups")};
  for (std::size_t i = 0; padding == "same" && i < n; ++i) {
    const core::Extent& kernel = weight.dims()[i + 2];
    if (kernel.dynamic) throw op.refuse("weight has a dynamic kernel size, expected a static one");
    const std::int64_t total = c.dilation[i] * (kernel.min - 1);
    c.pad_begin[i] = total / 2;
    c.pad_end[i] = total - total / 2;
  }
  return convolve(op.value("input"), weight, op.optional("bias"), std::move(c));
}

/// self [T,N,C], weight [k,C,O].
Value conv_tbc(OpContext& op) {
  auto& net = op.net();
  const Value x = net.transpose(op.value("self"), {1, 2, 0});
  const Value weight = net.transpose(op.value("weight"), {2, 1, 0});
  const Ints pad = {op.integer("pad")};
  const Value y = convolve(x, weight, op.value("bias"),
                           {.stride = {1}, .pad_begin = pad, .pad_end = pad, .dilation = {1}});
  return net.transpose(y, {2, 0, 1});
}

}  // namespace

void add_convolution_ops(OpTable& table) {
  table.add<forward_convolution>(
      "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
      "SymInt[1] padding=[0], "
      "SymInt[1] dilation=[1], SymInt groups=1) -> Tensor");
  table.add<forward_convolution>(
      "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
      "SymInt[2] padding=[0, 0], "
      "SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor");
  table.add<forward_convolution>(
      "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
      "SymInt[3] padding=[0, "
      "0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor");
  table.add<named_padding_convolution>(
      "aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
      "str "
      "padding=\"valid\", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor");
  table.add<named_padding_convolution>(
      "aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, "
      "1], str "
      "padding=\"valid\", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor");
  table.add<named_padding_convolution>(
      "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, "
      "1, 1], str "
      "padding=\"valid\", SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor");
  table.add<named_padding_convolution>(
      "aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str "
      "padding, SymInt[] "
      "dilation, SymInt groups) -> Tensor");
  table.add<transposed_convolution>(
      "aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] "
      "stride=[1], SymInt[1] "
      "padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, SymInt[1] dilation=[1]) -> "
      "Tensor");
  table.add<transposed_convolution>(
      "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] "
      "stride=[1, 1], SymInt[2] "
      "padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] dilation=[1, "
      "1]) -> Tensor");
  table.add<transposed_convolution>(
      "aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] "
      "stride=[1, 1, 1], "
      "SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, SymInt[3] "
      "dilation=[1, 1, 1]) "
      "-> Tensor");
  table.add<either_convolution>(
      "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
      "padding, SymInt[] "
      "dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor");
  table.add<either_convolution>(
      "aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
      "padding, SymInt[] "
      "dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool "
      "deterministic, bool "
      "cudnn_enabled, bool allow_tf32) -> Tensor");
  table.add<either_convolution>(
      "aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, "
      "SymInt[] padding, "
      "SymInt[] dilation, bool transposed, int[] output_padding, SymInt groups, bool benchmark, "
      "bool deterministic, "
      "bool cudnn_enabled) -> Tensor");
  table.add<conv_tbc>(
      "aten::conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
