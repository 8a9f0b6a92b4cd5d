#include "engines/openvino/support.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "engines/openvino/emitter.h"

namespace torch_tensorrt::engines::openvino {

using core::DType;
using core::Extent;
using core::kAbsent;
using core::Network;
using core::Node;
using core::text;

namespace {

constexpr int kMaxRank = 8;
using Reason = std::string;
const Reason kYes;

/// The layer under judgement.
struct Case {
  const Network& network;
  const Node& node;

  bool has(std::size_t i) const { return i < node.inputs.size() && node.inputs[i] != kAbsent; }
  const core::TensorType& type(std::size_t i) const { return network.type(node.inputs.at(i)); }
  const core::TensorType& result(std::size_t i = 0) const {
    return network.type(node.outputs.at(i));
  }
  const Extent& dim(std::size_t i, std::size_t axis) const { return type(i).dims.at(axis); }
  std::optional<core::Ints> numbers(std::size_t i) const {
    return numbers_of(network.content(node.inputs.at(i)));
  }
};

bool is_real(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }
bool is_wide_int(DType t) { return t == DType::i32 || t == DType::i64; }

Reason need_real(const Case& c, std::size_t i = 0) {
  const DType t = c.type(i).dtype;
  return is_real(t) ? kYes : text("computes it on f32, f16 and bf16, not on ", core::name(t));
}
Reason need_number(const Case& c) {
  const DType t = c.type(0).dtype;
  return is_real(t) || is_wide_int(t)
             ? kYes
             : text("computes it on f32, f16, bf16, i32 and i64, not on ", core::name(t));
}
/// Where an empty tensor gives garbage or an exception.
Reason need_elements(const Case& c, std::size_t operands = 1) {
  for (std::size_t i = 0; i < operands; ++i) {
    for (const Extent& dim : c.type(i).dims) {
      if (dim.min == 0)
        return text("is wrong on tensors without elements, and ", core::to_text(c.type(i)),
                    " may be one");
    }
  }
  return kYes;
}
/// As need_elements, but an empty batch is fine.
Reason need_image(const Case& c) {
  for (std::size_t axis = 1; axis < c.type(0).dims.size(); ++axis) {
    if (c.dim(0, axis).min == 0)
      return text("is wrong on empty images, and ", core::to_text(c.type(0)), " may be one");
  }
  return kYes;
}
Reason need_static(const Case& c, std::size_t i, const char* what) {
  return c.type(i).is_static()
             ? kYes
             : text("needs static dimensions of ", what, ", got ", core::to_text(c.type(i)));
}
Reason first_of(std::initializer_list<Reason> reasons) {
  for (const Reason& reason : reasons) {
    if (!reason.empty()) return reason;
  }
  return kYes;
}

bool within_i32(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

// ---- one `why_not` per layer kind that has limits beyond its types; the rest take whatever the
// Network allows ----

template <typename Layer>
Reason why_not(const Layer&, const Case&) {
  return kYes;
}

Reason why_not(const core::Constant& layer, const Case&) {
  if (layer.value.dtype == DType::i64 &&
      !std::ranges::all_of(layer.value.bytes.as<std::int64_t>(), within_i32)) {
    return "holds i64 as i32, and the constant has a number beyond 2^31";
  }
  return kYes;
}
Reason why_not(const core::Broadcast&, const Case& c) {
  const std::size_t missing = c.result().dims.size() - c.type(0).dims.size();
  for (std::size_t axis = 0; axis < c.result().dims.size(); ++axis) {
    const bool empty = axis >= missing && c.dim(0, axis - missing).min == 0;
    if (c.result().dims[axis].min == 0 && !empty)
      return text("leaves a dimension of 1 as it is where it becomes 0, and ",
                  core::to_text(c.result()), " may have one");
  }
  return kYes;
}
Reason why_not(const core::Gather&, const Case& c) {
  for (const Extent& dim : c.result().dims) {
    if (dim.is_static() && dim.max == 0)
      return text("crashes while it compiles a gather without results, such as ",
                  core::to_text(c.result()));
  }
  return kYes;
}
Reason why_not(const core::Range&, const Case& c) { return need_number(c); }
Reason why_not(const core::Unary& layer, const Case& c) {
  using core::UnaryOp;
  if (layer.op == UnaryOp::logical_not) return kYes;
  const bool takes_ints =
      layer.op == UnaryOp::abs || layer.op == UnaryOp::neg || layer.op == UnaryOp::sign;
  return takes_ints ? need_number(c) : need_real(c);
}
Reason why_not(const core::Activation& layer, const Case& c) {
  return layer.op == core::ActivationOp::relu ? need_number(c) : need_real(c);
}
Reason why_not(const core::PRelu&, const Case& c) { return need_real(c); }
Reason why_not(const core::Binary&, const Case& c) { return need_number(c); }
Reason why_not(const core::Reduce& layer, const Case& c) {
  using core::ReduceOp;
  if (layer.op == ReduceOp::any || layer.op == ReduceOp::all) return kYes;
  const bool wants_elements =
      layer.op == ReduceOp::mean || layer.op == ReduceOp::max || layer.op == ReduceOp::min;
  return first_of({layer.op == ReduceOp::mean ? need_real(c) : need_number(c),
                   wants_elements ? need_elements(c) : kYes});
}
Reason why_not(const core::Softmax&, const Case& c) { return need_real(c); }
Reason why_not(const core::LogSoftmax&, const Case& c) { return need_real(c); }
Reason why_not(const core::TopK&, const Case& c) {
  const core::Content* k = c.network.content(c.node.inputs.at(1));
  if (k && !k->empty() && k->front().max < 1) return "needs k of at least 1";
  return need_number(c);
}
Reason why_not(const core::CumSum&, const Case& c) { return need_number(c); }
Reason why_not(const core::MatMul&, const Case& c) { return need_real(c); }
Reason why_not(const core::Einsum&, const Case& c) { return need_real(c); }

Reason why_not(const core::Conv&, const Case& c) {
  return first_of({need_real(c), need_static(c, 1, "the weight"), need_image(c)});
}
Reason why_not(const core::Deconv&, const Case& c) {
  return first_of({need_real(c), need_static(c, 1, "the weight"), need_image(c)});
}
Reason why_not(const core::Attention&, const Case& c) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (!c.dim(i, 1).is_static())
      return text("needs static numbers of heads, got ", core::to_text(c.type(i)));
  }
  if (!c.dim(0, 3).is_static())
    return text("needs a static head size, got ", core::to_text(c.type(0)));
  return first_of({need_real(c), need_elements(c, 3)});
}
Reason why_not(const core::Rope&, const Case& c) {
  return c.dim(0, 3).is_static() ? need_real(c)
                                 : text("needs a static head size, got ", core::to_text(c.type(0)));
}
Reason why_not(const core::Lstm&, const Case& c) {
  if (c.has(6) && !c.type(0).is_static()) return "ignores lengths where a dimension is dynamic";
  return first_of({need_real(c), need_elements(c)});
}
Reason why_not(const core::Gru&, const Case& c) {
  return first_of({need_real(c), need_elements(c)});
}
Reason why_not(const core::Rnn&, const Case& c) {
  return first_of({need_real(c), need_elements(c)});
}

Reason why_not(const core::MaxPool&, const Case& c) {
  return first_of({need_real(c), need_elements(c)});
}
Reason why_not(const core::AvgPool&, const Case& c) {
  return first_of({need_real(c), need_elements(c)});
}
Reason why_not(const core::AdaptiveAvgPool&, const Case& c) {
  return first_of({need_real(c), need_elements(c)});
}
Reason why_not(const core::GridSample&, const Case& c) {
  return first_of({need_real(c), need_elements(c, 2)});
}
Reason why_not(const core::Lrn&, const Case& c) {
  if (!c.dim(0, 1).is_static())
    return text("needs static channels, got ", core::to_text(c.type(0)));
  return need_real(c);
}

/// OpenVINO derives the sizes from the scales as f32, where it has to use the scales.
bool scales_give_the_sizes(const core::Resize& layer, const Case& c) {
  const auto sizes = c.numbers(1);
  if (!sizes) return false;
  const std::size_t first = c.type(0).dims.size() - sizes->size();
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    const Extent& in = c.dim(0, first + i);
    if (!in.is_static()) return false;
    const auto derived =
        std::floor(static_cast<float>(in.opt) * static_cast<float>(layer.scales[i]));
    if (static_cast<std::int64_t>(derived) != (*sizes)[i]) return false;
  }
  return true;
}
Reason why_not(const core::Resize& layer, const Case& c) {
  const auto whole = [](double s) { return s >= 1 && s == std::floor(s); };
  const bool by_sizes = layer.coordinate == core::Coordinate::align_corners ||
                        std::ranges::all_of(layer.scales, whole);
  if (!by_sizes && !scales_give_the_sizes(layer, c))
    return "cannot reach these sizes from these fractional scales";
  return first_of({need_real(c), need_elements(c)});
}

Reason why_not(const core::BatchNorm&, const Case& c) { return need_real(c); }
Reason why_not(const core::LayerNorm&, const Case& c) { return need_real(c); }
Reason why_not(const core::RmsNorm&, const Case& c) { return need_real(c); }
Reason need_channels(const Case& c) {
  return c.dim(0, 1).is_static() ? need_real(c)
                                 : text("needs static channels, got ", core::to_text(c.type(0)));
}
Reason why_not(const core::GroupNorm&, const Case& c) { return need_channels(c); }
Reason why_not(const core::InstanceNorm&, const Case& c) { return need_channels(c); }

Reason why_not(const core::Pad& layer, const Case& c) {
  if (layer.mode == core::PadMode::wrap && (!c.numbers(1) || !c.numbers(2))) {
    return "wraps only by amounts known at build time";
  }
  if (layer.mode == core::PadMode::reflect) return need_elements(c);
  return kYes;
}
Reason why_not(const core::ScatterElements& layer, const Case& c) {
  if (layer.reduction == core::ScatterReduce::mean) return need_real(c);
  return layer.reduction == core::ScatterReduce::none ? kYes : need_number(c);
}
Reason why_not(const core::ScatterNd& layer, const Case& c) {
  if (layer.reduction == core::ScatterReduce::mean) return "scatter_nd has no mean";
  return layer.reduction == core::ScatterReduce::none ? kYes : need_number(c);
}
Reason why_not(const core::Nms& layer, const Case& c) {
  if (layer.max_per_class < 1) return "needs max_per_class of at least 1";
  return first_of({need_real(c), need_elements(c, 2)});
}

Reason why_not(const core::Quantize& layer, const Case& c) {
  if (layer.to != DType::i8 && layer.to != DType::u8 && layer.to != DType::f8)
    return text("cannot quantize to ", core::name(layer.to));
  if (c.type(1).rank() > 1) return "takes one scale per tensor or per channel, not per block";
  return need_real(c);
}
Reason why_not(const core::Dequantize& layer, const Case& c) {
  if (!is_real(layer.to)) return text("cannot dequantize to ", core::name(layer.to));
  if (c.type(0).dtype == DType::f4) return "has no f4 arithmetic";
  if (c.type(1).rank() > 1) return "takes one scale per tensor or per channel, not per block";
  return kYes;
}

Reason why_not_body(const Network& body, const char* what) {
  if (!open_assertions(body).empty()) return text("cannot check an assertion inside the ", what);
  for (const Node& node : body.nodes()) {
    const core::Support support = supports(body, node);
    if (!support.yes)
      return text(core::kind_of(node.layer), " inside the ", what, ": ", support.reason);
  }
  return kYes;
}
Reason why_not(const core::Loop& layer, const Case& c) {
  const auto trips = c.numbers(0);
  const auto condition = c.numbers(1);
  if ((trips && trips->front() < 1) || (condition && condition->front() == 0)) {
    return "loses the carried values of a loop without trips";
  }
  return why_not_body(*layer.body, "loop");
}
Reason why_not(const core::If& layer, const Case&) {
  return first_of({why_not_body(*layer.then_branch, "if"), why_not_body(*layer.else_branch, "if")});
}

Reason why_not(const core::Plugin& layer, const Case&) {
  return text("runs no plugins of TensorRT, such as '", layer.plugin, "'");
}

/// Kinds that hold or move small floats and 4-bit integers. Everything else would compute with
/// them.
bool takes_storage_types(const Node& node) {
  return std::holds_alternative<core::Constant>(node.layer) ||
         std::holds_alternative<core::Quantize>(node.layer) ||
         std::holds_alternative<core::Dequantize>(node.layer);
}

Reason why_not_types(const Case& c) {
  const auto check = [&](core::ValueId value) -> Reason {
    if (value == kAbsent) return kYes;
    const core::TensorType& type = c.network.type(value);
    if (type.dtype == DType::f64) return "computes f64 in f32";
    const bool storage =
        type.dtype == DType::i4 || type.dtype == DType::f8 || type.dtype == DType::f4;
    if (storage && !takes_storage_types(c.node))
      return text("does not compute with ", core::name(type.dtype));
    if (type.rank() > kMaxRank) return text("takes ranks up to ", kMaxRank, ", got ", type.rank());
    return kYes;
  };
  for (const core::ValueId value : c.node.inputs) {
    if (const Reason reason = check(value); !reason.empty()) return reason;
  }
  for (const core::ValueId value : c.node.outputs) {
    if (const Reason reason = check(value); !reason.empty()) return reason;
  }
  return kYes;
}

}  // namespace

core::Support supports(const Network& network, const Node& node) {
  const Case c{network, node};
  Reason reason = why_not_types(c);
  if (reason.empty())
    reason = std::visit([&](const auto& layer) { return why_not(layer, c); }, node.layer);
  if (reason.empty()) reason = why_not_emitted(network, node);
  if (reason.empty()) return {};
  return core::Support::no(text("openvino ", reason));
}

}  // namespace torch_tensorrt::engines::openvino
