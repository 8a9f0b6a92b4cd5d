// Sliding windows as tensors: unfold, im2col, col2im.

#include <ATen/ATen.h>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

Size window_count(core::NetworkBuilder& net, const Size& dim, std::int64_t reach,
                  std::int64_t step) {
  return net.add(net.floor_div(net.sub(dim, reach), step), 1);
}

Value unfold(OpContext& op) {
  auto& net = op.net();
  Value x = op.value("self");
  if (x.rank() == 0) return net.unsqueeze(x, {0});
  const int axis = op.axis("dimension", x.rank());
  const std::int64_t size = op.integer("size"), step = op.integer("step");
  const core::Extent& dim = x.dim(axis);
  if (size == step && dim.is_static()) {  // windows side by side are a reshape
    const std::int64_t count = dim.min / size;
    x = unmerged(sliced(x, axis, 0, count * size), axis, {Size(count), Size(size)});
  } else {
    const Size count = window_count(net, net.size(x, axis), size, step);
    x = net.gather(x, window_indices(net, count, size, step), axis);
  }
  return permuted(x, moving(x.rank(), {axis + 1}, {x.rank() - 1}));
}

struct Columns {
  Ints kernel, dilation, padding, stride;

  explicit Columns(OpContext& op)
      : kernel(op.expanded("kernel_size", 2)),
        dilation(op.expanded("dilation", 2)),
        padding(op.expanded("padding", 2)),
        stride(op.expanded("stride", 2)) {}
  std::int64_t reach(std::size_t i) const { return dilation[i] * (kernel[i] - 1) + 1; }
};

/// x [N,C,H,W] -> [N, C*kh*kw, windows]; without N both.
Value im2col(OpContext& op) {
  auto& net = op.net();
  const Columns c(op);
  Value x = op.value("self");
  const bool batched = x.rank() == 4;
  if (!batched) x = net.unsqueeze(x, {0});
  const Sizes pad = {Size(0), Size(0), Size(c.padding[0]), Size(c.padding[1])};
  x = padded(x, core::PadMode::constant, pad, pad);
  for (const int i : {0, 1}) {  // each spatial axis becomes (windows, kernel)
    const std::size_t k = static_cast<std::size_t>(i);
    const int axis = 2 + 2 * i;
    const Size count = window_count(net, net.size(x, axis), c.reach(k), c.stride[k]);
    x = net.gather(x, window_indices(net, count, c.kernel[k], c.stride[k], c.dilation[k]), axis);
  }
  x = net.transpose(x, {0, 1, 3, 5, 2, 4});
  x = merged(merged(x, 4, 2), 1, 3);
  return batched ? x : net.squeeze(x, {0});
}

/// The sum of overlapping windows is a transposed convolution whose kernels each copy one position.
Value col2im(OpContext& op) {
  auto& net = op.net();
  const Columns c(op);
  const Ints size = op.expanded("output_size", 2);
  Value x = op.value("self");
  const bool batched = x.rank() == 3;
  if (!batched) x = net.unsqueeze(x, {0});
  const std::int64_t positions = c.kernel[0] * c.kernel[1];
  const core::Extent& rows = x.dim(1);
  if (rows.dynamic) throw op.refuse("self has a dynamic number of rows, expected a static one");
  const std::int64_t channels = rows.min / positions;
  const at::Tensor copies = at::eye(positions, at::TensorOptions().dtype(to_torch(x.dtype())))
                                .reshape({1, positions, 1, c.kernel[0], c.kernel[1]})
                                .expand({channels, -1, -1, -1, -1})
                                .reshape({rows.min, 1, c.kernel[0], c.kernel[1]});
  Ints extra;
  Sizes windows;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const std::int64_t room = size[i] + 2 * c.padding[i] - c.reach(i);
    windows.emplace_back(room / c.stride[i] + 1);
    extra.push_back(room % c.stride[i]);
  }
  const Value columns = unmerged(x, 2, windows);
  const Value y = net.one(core::Deconv{c.stride, c.padding, c.padding, extra, c.dilation, channels},
                          {columns, op.constant(copies)});
  return batched ? y : net.squeeze(y, {0});
}

}  // namespace

void add_window_ops(OpTable& table) {
  table.add<unfold>("aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)")
      .also("aten::unfold_copy");
  table.add<im2col>(
      "aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] "
      "stride) -> Tensor");
  table.add<col2im>(
      "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, "
      "int[2] padding, int[2] "
      "stride) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
