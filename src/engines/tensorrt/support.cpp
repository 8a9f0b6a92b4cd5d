#include "engines/tensorrt/support.h"

#include <algorithm>

#include "engines/tensorrt/emitter.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

constexpr int kMaxRank = 8;

/// f64 has no form at all; u8 is for a network's inputs and outputs, and to be cast.
std::string wrong_type(const core::TensorType& type, bool takes_u8) {
  if (type.dtype == DType::f64) return "TensorRT has no float64";
  if (type.dtype == DType::u8 && !takes_u8) return "TensorRT computes nothing on uint8";
  if (type.rank() > kMaxRank)
    return core::text("TensorRT has tensors of up to ", kMaxRank, " dimensions, got ", type.rank());
  return {};
}

/// What the emitter cannot see: TensorRT-RTX lacks the call, or takes it and finds no kernel.
std::string rtx_gap(const core::Node& node) {
  if (std::holds_alternative<core::Plugin>(node.layer))
    return "TensorRT-RTX has no add_plugin_v3: its networks take no plugins, those of TensorRT do";
  if (std::holds_alternative<core::NonZero>(node.layer) ||
      std::holds_alternative<core::Nms>(node.layer))
    return "TensorRT-RTX has no kernel whose result's size depends on data";
  return {};
}

}  // namespace

core::Support supports(const core::Network& network, const core::Node& node, Version version,
                       bool is_rtx) {
  if (is_rtx) {
    if (std::string why = rtx_gap(node); !why.empty()) return core::Support::no(std::move(why));
  }
  const auto* input = std::get_if<core::Input>(&node.layer);
  if (input && input->host && input->content.empty())
    return core::Support::no(core::text("the values that input '", input->name,
                                        "' may have are not known, and a profile needs them"));
  // Of quantization the emitter says more.
  const bool takes_u8 = input || std::holds_alternative<core::Cast>(node.layer) ||
                        std::holds_alternative<core::Quantize>(node.layer) ||
                        std::holds_alternative<core::Dequantize>(node.layer);
  for (const auto* values : {&node.inputs, &node.outputs}) {
    for (const core::ValueId value : *values) {
      if (value == core::kAbsent) continue;
      if (std::string why = wrong_type(network.type(value), takes_u8); !why.empty())
        return core::Support::no(std::move(why));
    }
  }
  if (std::string why = why_not_emitted(network, node, version); !why.empty())
    return core::Support::no(std::move(why));
  return {};
}

}  // namespace torch_tensorrt::engines::tensorrt
