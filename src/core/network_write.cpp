// Network -> bytes, derived from the layer declarations; network_read.cpp is the inverse. Layout
// (all little-endian):
//   structure: count, then strings (length, bytes); network
//   network:   count, then nodes; count, then outputs (value, name)
//   node:      kind; count, operands; count, result types; scope; location; count, then attributes
//   (name, size, bytes) type:      dtype; rank; extents (0 and a number, or 1 and min, opt, max)
// Names of kinds, attributes, enum values and dtypes are indices into the strings, so that no
// number has a meaning beyond its file. Small constants stand inside the structure, larger ones are
// references to weights.

#include <algorithm>
#include <map>

#include "core/artifact.h"
#include "core/bytes.h"
#include "core/infer.h"
#include "core/network.h"
#include "core/sha256.h"

namespace torch_tensorrt::core {
namespace {

constexpr std::size_t kInlineBytes = 64;

/// What the networks of one file share: strings and weights, each once.
class Tables {
 public:
  std::uint32_t string(std::string_view s) {
    const auto [found, added] =
        indices_.emplace(std::string(s), static_cast<std::uint32_t>(strings_.size()));
    if (added) strings_.push_back(found->first);
    return found->second;
  }

  std::uint32_t weight(const Blob& blob) {
    for (const std::uint32_t index : by_size_[blob.size()]) {
      const Blob& known = weights_[index];
      if (known.data() == blob.data() ||
          std::equal(known.data(), known.data() + known.size(), blob.data()))
        return index;
    }
    const auto index = static_cast<std::uint32_t>(weights_.size());
    by_size_[blob.size()].push_back(index);
    weights_.push_back(blob);
    return index;
  }

  const std::vector<std::string>& strings() const { return strings_; }
  std::vector<Blob> take_weights() { return std::move(weights_); }

 private:
  std::map<std::string, std::uint32_t, std::less<>> indices_;
  std::vector<std::string> strings_;
  std::map<std::size_t, std::vector<std::uint32_t>> by_size_;
  std::vector<Blob> weights_;
};

enum class Purpose {
  file,
  digest
};  // a digest leaves names and origins out and has weights by their own digests

class Writer {
 public:
  Writer(Tables& tables, ByteWriter& out, Purpose purpose)
      : tables_(tables), out_(out), purpose_(purpose) {}

  void put(const Network& network) {
    count(network.nodes().size());
    for (const Node& node : network.nodes()) put(network, node);
    count(network.outputs().size());
    for (std::size_t i = 0; i < network.outputs().size(); ++i) {
      out_.number(network.outputs()[i]);
      if (purpose_ == Purpose::file) put(network.output_names()[i]);
    }
  }

 private:
  void put(const Network& network, const Node& node) {
    put(kind_of(node.layer));
    count(node.inputs.size());
    for (const ValueId id : node.inputs) out_.number(id);
    count(node.outputs.size());
    for (const ValueId id : node.outputs) put(network.type(id));
    if (purpose_ == Purpose::file) {
      put(node.origin.scope);
      put(node.origin.location);
    }
    std::visit([&](const auto& layer) { put_attributes(layer); }, node.layer);
  }

  template <typename L>
  void put_attributes(const L& layer) {
    const auto kept = [&](std::string_view name) {
      return purpose_ == Purpose::file || name != "name";
    };
    std::size_t kept_count = 0;
    layer.attributes(layer,
                     [&](std::string_view name, const auto&) { kept_count += kept(name) ? 1 : 0; });
    count(kept_count);
    layer.attributes(layer, [&](std::string_view name, const auto& value) {
      if (!kept(name)) return;
      put(name);
      out_.number(std::uint64_t{0});
      const std::size_t begin = out_.size();
      put(value);
      out_.overwrite(begin - sizeof(std::uint64_t), std::uint64_t{out_.size() - begin});
    });
  }

  void count(std::size_t n) { out_.number(static_cast<std::uint32_t>(n)); }
  void put(bool value) { out_.number(static_cast<std::uint8_t>(value)); }
  void put(std::int64_t value) { out_.number(value); }
  void put(double value) { out_.number(value); }
  void put(std::string_view value) { out_.number(tables_.string(value)); }
  void put(const std::string& value) { put(std::string_view(value)); }
  void put(DType value) { put(name(value)); }
  template <AttributeEnum Enum>
  void put(Enum value) {
    put(enum_name(value));
  }
  void put(const Extent& extent) {
    put(extent.dynamic);
    out_.number(extent.min);
    if (!extent.dynamic) return;
    out_.number(extent.opt);
    out_.number(extent.max);
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    count(list.size());
    for (const T& element : list) put(element);
  }
  void put(const TensorType& type) {
    put(type.dtype);
    put(type.dims);
  }
  void put(const Tensor& tensor) {
    put(tensor.dtype);
    put(tensor.dims);
    const bool inside = tensor.bytes.size() <= kInlineBytes;
    put(inside);
    if (inside) {
      count(tensor.bytes.size());
      out_.raw(tensor.bytes.bytes());
    } else if (purpose_ == Purpose::file) {
      out_.number(tables_.weight(tensor.bytes));
    } else {
      Sha256 hash;
      hash.update(tensor.bytes.bytes());
      out_.raw(hash.finish());
    }
  }
  void put(const PluginField& field) {
    put(field.name);
    put(std::holds_alternative<std::string>(field.value));
    std::visit([&](const auto& value) { put(value); }, field.value);
  }
  void put(const std::shared_ptr<const Network>& network) { put(*network); }

  Tables& tables_;
  ByteWriter& out_;
  Purpose purpose_;
};

std::vector<std::byte> with_strings(const Tables& tables, const ByteWriter& body) {
  ByteWriter out;
  out.number(static_cast<std::uint32_t>(tables.strings().size()));
  for (const std::string& s : tables.strings()) {
    out.number(static_cast<std::uint32_t>(s.size()));
    out.text(s);
  }
  out.raw(body.bytes());
  return out.take();
}

}  // namespace

Network::Binary Network::to_binary() const {
  Tables tables;
  ByteWriter body;
  Writer(tables, body, Purpose::file).put(*this);
  return {with_strings(tables, body), tables.take_weights()};
}

std::string Network::digest() const {
  Tables tables;
  ByteWriter body;
  Writer(tables, body, Purpose::digest).put(*this);
  Sha256 hash;
  hash.update(with_strings(tables, body));
  return to_hex(hash.finish());
}

}  // namespace torch_tensorrt::core
