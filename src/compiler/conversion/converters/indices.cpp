#include "compiler/conversion/converters/indices.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

constexpr int kDepth = 24;  // how far back never_negative looks

bool never_negative(Value x, int depth);

/// Rules per layer kind; a kind that is not here promises nothing.
struct NeverNegative {
  core::NetworkBuilder& net;
  const core::Node& node;
  int depth;

  bool operand(std::size_t i) const {
    return never_negative(Value(&net, node.inputs.at(i)), depth - 1);
  }
  bool all() const {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!operand(i)) return false;
    }
    return true;
  }

  bool operator()(const core::Range&) const { return operand(0) && operand(1); }
  bool operator()(const core::ShapeOf&) const { return true; }
  bool operator()(const core::NonZero&) const { return true; }
  bool operator()(const core::Concat&) const { return all(); }
  bool operator()(const core::Cast&) const {
    return net.network().type(node.inputs[0]).dtype == DType::b || operand(0);
  }
  bool operator()(const core::Select&) const { return operand(1) && operand(2); }
  bool operator()(const core::Binary& layer) const {
    switch (layer.op) {
      case core::BinaryOp::max:
        return operand(0) || operand(1);
      case core::BinaryOp::remainder:
        return operand(1);
      case core::BinaryOp::fmod:
        return operand(0);
      case core::BinaryOp::sub:
        return false;
      default:
        return operand(0) && operand(1);
    }
  }
  bool operator()(const core::Reshape&) const { return operand(0); }
  bool operator()(const core::Transpose&) const { return operand(0); }
  bool operator()(const core::Squeeze&) const { return operand(0); }
  bool operator()(const core::Unsqueeze&) const { return operand(0); }
  bool operator()(const core::Broadcast&) const { return operand(0); }
  bool operator()(const core::Split&) const { return operand(0); }
  bool operator()(const core::Slice&) const { return operand(0); }
  bool operator()(const core::Tile&) const { return operand(0); }
  bool operator()(const core::Flip&) const { return operand(0); }
  bool operator()(const core::Roll&) const { return operand(0); }
  bool operator()(const core::Gather&) const { return operand(0); }
  bool operator()(const core::GatherElements&) const { return operand(0); }
  bool operator()(const core::CumSum&) const { return operand(0); }
  bool operator()(const core::Reduce&) const { return operand(0); }
  bool operator()(const core::Identity&) const { return operand(0); }
  bool operator()(const core::Layer&) const { return false; }
};

bool never_negative(Value x, int depth) {
  if (depth == 0) return false;
  if (const core::Content* content = x.content()) {
    return std::all_of(content->begin(), content->end(),
                       [](const core::Extent& e) { return std::min({e.min, e.opt, e.max}) >= 0; });
  }
  if (const auto data = constant_data(x)) {
    return data->numel() == 0 || data->to(at::kDouble).min().item<double>() >= 0;
  }
  auto& net = x.builder();
  const core::Node& node = net.network().producer(x.id());
  if (const auto* topk = std::get_if<core::TopK>(&node.layer); topk != nullptr)
    return x.id() == node.outputs[1];
  const NeverNegative rules{net, node, depth};
  return std::visit([&](const auto& layer) { return rules(layer); }, node.layer);
}

/// The index tensors that a mask over `mask.rank()` axes stands for.
std::vector<Value> positions(OpContext& op, Value mask) {
  if (mask.rank() == 0) throw op.refuse("an index is a bool scalar, expected a mask with axes");
  auto& net = op.net();
  const Value all = net.one(core::NonZero{}, {net.cast(mask, DType::b)});
  std::vector<Value> out;
  for (int i = 0; i < mask.rank(); ++i) out.push_back(element(all, 0, i));
  return out;
}

}  // namespace

bool never_negative(Value index) { return never_negative(index, kDepth); }

Value non_negative(OpContext& op, Value index, const Size& dim) {
  if (never_negative(index)) return index;
  auto& net = op.net();
  const auto data = constant_data(index);
  if (const auto* n = number(dim); n && data)
    return op.constant(at::where(data->lt(0), *data + *n, *data));
  const Value zero = net.scalar_i64(0, index.dtype(), index.rank());
  const Value size = net.cast(net.value(dim), index.dtype());
  return net.select(net.compare(core::CompareOp::lt, index, zero), index + size, index);
}

Selection selection(OpContext& op, Value x, const std::vector<std::optional<Value>>& indices) {
  auto& net = op.net();
  Selection out;
  std::vector<Value> each;
  int axis = 0;
  for (const std::optional<Value>& index : indices) {
    if (!index) {
      ++axis;
      continue;
    }
    const bool mask = index->dtype() == DType::b || index->dtype() == DType::u8;
    const std::vector<Value> parts = mask ? positions(op, *index) : std::vector<Value>{*index};
    for (const Value& part : parts) {
      if (axis >= x.rank()) throw op.refuse("more indices than self's ", x.rank(), " axes");
      each.push_back(mask ? part : non_negative(op, part, net.size(x, axis)));
      out.axes.push_back(axis++);
    }
  }
  if (each.empty()) return out;
  out.index = each.front();
  out.adjacent =
      out.axes.back() - out.axes.front() + 1 == static_cast<std::int64_t>(out.axes.size());
  for (std::size_t i = 1; i < each.size(); ++i) {
    const Value width = net.value(net.size(x, static_cast<int>(out.axes[i])));
    out.index = net.cast(out.index, DType::i64) * width + net.cast(each[i], DType::i64);
  }
  return out;
}

Value indexed(Value x, const Selection& s) {
  if (s.axes.empty()) return x;
  const int at = s.position();
  std::vector<std::int64_t> to;
  for (std::size_t i = 0; i < s.axes.size(); ++i) to.push_back(at + static_cast<std::int64_t>(i));
  const Value together =
      merged(permuted(x, moving(x.rank(), s.axes, to)), at, static_cast<int>(s.axes.size()));
  return x.builder().gather(together, s.index, at);
}

Value fitted(Value x, Value like, int axis) {
  for (int i = 0; i < x.rank(); ++i) {
    const core::Extent &dim = x.dim(i), &target = like.dim(i);
    if (i == axis || dim == target) continue;
    if (dim.is_static() && target.is_static()) {
      // Not a slice: OpenVINO drops one that starts at 0 in front of GatherElements, and then
      // refuses the sizes.
      x = x.builder().split(x, i, {target.min, dim.min - target.min}).front();
    } else {
      x = sliced(x, i, 0, x.builder().size(like, i));
    }
  }
  return x;
}

Value scalar_of(OpContext& op, std::string_view name, DType dtype) {
  const Value given = op.value(name);
  const Value x = given.rank() == 0 ? given : op.net().reshape(given, {});
  if (const auto data = constant_data(x)) return op.constant(data->to(to_torch(dtype)));
  return op.net().cast(x, dtype);
}

}  // namespace torch_tensorrt::compiler
