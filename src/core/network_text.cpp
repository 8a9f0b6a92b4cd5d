// Network -> text, derived from the layer declarations; network_parse.cpp is the inverse.
//
//   network {
//     %0: f32[1..4..8, 1000] = input() {name="x", type=f32[1..4..8, 1000], host=false, content=[]}
//     %1: f32[1..4..8, 1000] = softmax(%0) {axis=1}  # head.softmax  model.py:41
//     return %1 "probabilities"
//   }

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/artifact.h"
#include "core/infer.h"
#include "core/network.h"
#include "core/network_text.h"
#include "core/scalar.h"

namespace torch_tensorrt::core {
namespace {

/// The shortest decimal that reads back as the same number.
template <typename T>
std::string number_text(T value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

template <typename T>
T load(const std::byte* p) {
  T value{};
  std::memcpy(&value, p, sizeof value);
  return value;
}

/// NaNs differ in their bits, which a decimal would lose.
template <typename Float, typename Bits>
std::string float_text(Float value, Bits bits) {
  if (!std::isnan(value)) return number_text(value);
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), bits, 16).ptr;
  return "0x" + std::string(buffer.data(), end);
}

std::string element_text(DType dtype, const std::byte* p) {
  switch (dtype) {
    case DType::f64:
      return float_text(load<double>(p), load<std::uint64_t>(p));
    case DType::f32:
      return float_text(load<float>(p), load<std::uint32_t>(p));
    case DType::f16:
      return float_text(float_from_half(load<std::uint16_t>(p)), load<std::uint16_t>(p));
    case DType::bf16:
      return float_text(float_from_bfloat16(load<std::uint16_t>(p)), load<std::uint16_t>(p));
    case DType::i64:
      return number_text(load<std::int64_t>(p));
    case DType::i32:
      return number_text(load<std::int32_t>(p));
    case DType::i8:
      return number_text(int{load<std::int8_t>(p)});
    default:  // bool, u8, and the bytes of packed types
      return number_text(int{load<std::uint8_t>(p)});
  }
}

class Printer {
 public:
  explicit Printer(std::string& out, int indent = 0) : out_(out), indent_(indent) {}

  void put(const Network& network) {
    out_ += "network {\n";
    for (const Node& node : network.nodes()) put(network, node);
    start_line();
    out_ += "return";
    for (std::size_t i = 0; i < network.outputs().size(); ++i) {
      out_ += text(i > 0 ? ", %" : " %", network.outputs()[i], " ");
      put(network.output_names()[i]);
    }
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_) * 2, ' ');
    out_ += '}';
  }

 private:
  void start_line() { out_.append(static_cast<std::size_t>(indent_ + 1) * 2, ' '); }

  void put(const Network& network, const Node& node) {
    start_line();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      out_ += text(i > 0 ? ", %" : "%", node.outputs[i], ": ", network.type(node.outputs[i]));
    }
    out_ += text(" = ", kind_of(node.layer), "(");
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += node.inputs[i] == kAbsent ? "_" : text("%", node.inputs[i]);
    }
    out_ += ')';
    std::visit([&](const auto& layer) { put_attributes(layer); }, node.layer);
    put(node.origin);
    out_ += '\n';
  }

  template <typename L>
  void put_attributes(const L& layer) {
    std::string_view before = " {";
    layer.attributes(layer, [&](std::string_view name, const auto& value) {
      out_ += text(before, name, "=");
      put(value);
      before = ", ";
    });
    if (before == ", ") out_ += '}';
  }

  void put(const Origin& origin) {
    if (origin.scope.empty() && origin.location.empty()) return;
    out_ += text("  # ", escaped_origin(origin.scope), "  ", escaped_origin(origin.location));
  }

  void put(bool value) { out_ += value ? "true" : "false"; }
  void put(std::int64_t value) { out_ += number_text(value); }
  void put(double value) { out_ += float_text(value, std::bit_cast<std::uint64_t>(value)); }
  void put(const std::string& value) { out_ += quoted(value); }
  void put(DType value) { out_ += name(value); }
  void put(const Extent& value) { out_ += to_text(value); }
  void put(const TensorType& value) { out_ += to_text(value); }
  template <AttributeEnum Enum>
  void put(Enum value) {
    out_ += enum_name(value);
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    out_ += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ", ";
      put(list[i]);
    }
    out_ += ']';
  }

  void put(const Tensor& tensor) {
    out_ += text(tensor.dtype, "[", join(tensor.dims), "] ");
    const std::size_t width = element_width(tensor.dtype);
    const std::size_t count = tensor.bytes.size() / width;
    if (count > kInlineElements) {
      out_ += "data=sha256:" + to_hex(sha256(tensor.bytes.bytes()));
      return;
    }
    out_ += "data=[";
    for (std::size_t i = 0; i < count; ++i) {
      out_ += text(i > 0 ? ", " : "", element_text(tensor.dtype, tensor.bytes.data() + i * width));
    }
    out_ += ']';
  }

  void put(const PluginField& field) {
    out_ += quoted(field.name) + ": ";
    std::visit([&](const auto& value) { put(value); }, field.value);
  }

  void put(const std::shared_ptr<const Network>& network) {
    Printer(out_, indent_ + 1).put(*network);
  }

  std::string& out_;
  int indent_;
};

std::string hex_escape(char c) {
  const auto byte = static_cast<std::byte>(c);
  return "\\x" + to_hex(std::span(&byte, 1));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::size_t element_width(DType dtype) { return static_cast<std::size_t>(byte_size(dtype, 1)); }

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += is_control(c) ? hex_escape(c) : std::string(1, c);
  }
  return out + '"';
}

std::string escaped_origin(std::string_view s) {
  if (s.empty()) return "-";
  if (s == "-") return hex_escape('-');
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    // Two blanks separate scope and location, so no part may hold them or have blanks at its ends.
    const bool edge = i == 0 || i + 1 == s.size();
    const bool blank = s[i] == ' ' && (edge || s[i - 1] == ' ');
    out += is_control(s[i]) || s[i] == '\\' || blank ? hex_escape(s[i]) : std::string(1, s[i]);
  }
  return out;
}

std::string Network::to_text() const {
  std::string out;
  Printer(out).put(*this);
  return out + '\n';
}

}  // namespace torch_tensorrt::core
