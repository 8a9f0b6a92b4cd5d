// Bytes -> Network, the inverse of network_write.cpp. The bytes may be hostile: lengths are checked
// before use, and every layer passes the same constraints and inference as one that a program adds.

#include <set>

#include "core/bytes.h"
#include "core/infer.h"
#include "core/network.h"

namespace torch_tensorrt::core {
namespace {

/// Inputs, and outputs, of one network.
constexpr std::size_t kMaxEnds = 4096;

/// What is left of the memory that a file may take. A few bytes can stand for much more: a text
/// that every node names, elements that the host computes.
class Budget {
 public:
  explicit Budget(std::size_t bytes) : left_(bytes) {}
  void take(std::size_t count, std::size_t size = 1) {
    if (count > left_ / size) {
      throw incompatible("it needs more memory than a file of its size may take");
    }
    left_ -= count * size;
  }

 private:
  std::size_t left_;
};

std::vector<std::string_view> read_strings(ByteReader& in, Budget& budget) {
  const std::size_t count = in.count(sizeof(std::uint32_t));
  budget.take(count, sizeof(std::string_view));
  std::vector<std::string_view> out(count);
  for (std::string_view& s : out) {
    const auto bytes = in.raw(in.number<std::uint32_t>());
    s = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  return out;
}

class Reader {
 public:
  Reader(const std::vector<std::string_view>& strings, std::span<const Blob> weights,
         Budget& budget, int depth)
      : strings_(strings), weights_(weights), budget_(budget), depth_(depth) {
    if (depth > kMaxNesting) throw incompatible("networks nest deeper than ", kMaxNesting);
  }

  Network network(ByteReader& in) const {
    Network out;
    for (std::size_t n = in.count(kLeastNodeBytes); n > 0; --n) add_node(in, out);
    const std::size_t outputs = in.count(8);
    check_ends(outputs, "outputs");
    for (std::size_t n = outputs; n > 0; --n) {
      const auto value = in.number<ValueId>();
      out.mark_output(value, copy(in));
    }
    return out;
  }

 private:
  static constexpr std::size_t kLeastNodeBytes = 6 * sizeof(std::uint32_t);
  /// What a Network keeps of a value, beside its extents.
  static constexpr std::size_t kValueBytes = sizeof(TensorType) + sizeof(Content) + 32;

  static void check_ends(std::size_t count, std::string_view what) {
    if (count > kMaxEnds)
      throw incompatible("a network has ", count, ' ', what, ", expected at most ", kMaxEnds);
  }

  void add_node(ByteReader& in, Network& network) const {
    const std::size_t offset = in.offset();
    const std::string_view kind = string(in);
    std::optional<Layer> layer = layer_of_kind(kind);
    if (!layer)
      throw incompatible("layer kind '", kind, "' at offset ", offset,
                         " is unknown to this version");
    if (std::holds_alternative<Input>(*layer)) check_ends(network.inputs().size() + 1, "inputs");
    const std::size_t operands = in.count(sizeof(ValueId));
    budget_.take(operands, 2 * sizeof(ValueId) + sizeof(Operand));
    std::vector<ValueId> inputs(operands);
    for (ValueId& id : inputs) id = in.number<ValueId>();
    const std::size_t results_given = in.count(2 * sizeof(std::uint32_t));
    budget_.take(results_given, sizeof(TensorType));
    std::vector<TensorType> types(results_given);
    for (TensorType& type : types) get(in, type);
    Origin origin;
    origin.scope = copy(in);
    origin.location = copy(in);
    std::visit([&](auto& l) { get_attributes(in, l); }, *layer);
    const std::vector<ValueId> results = network.add(std::move(*layer), inputs, std::move(origin));
    // Lists that grow are at times three times as large as what is in them.
    budget_.take(3 * sizeof(Node) + results.size() * 3 * kValueBytes);
    for (const ValueId id : results) {
      const Content* content = network.content(id);
      const auto rank = static_cast<std::size_t>(network.type(id).rank());
      budget_.take(rank + (content != nullptr ? content->size() : 0), sizeof(Extent));
    }
    if (results.size() != types.size()) {
      throw incompatible(kind, " at offset ", offset, " has ", types.size(), " results, expected ",
                         results.size());
    }
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (network.type(results[i]) == types[i]) continue;
      throw incompatible(kind, " at offset ", offset, " has a result ", types[i], ", expected ",
                         network.type(results[i]));
    }
  }

  /// Attributes that the file lacks keep their defaults: it may be older than they are.
  template <typename L>
  void get_attributes(ByteReader& in, L& layer) const {
    std::set<std::string_view> seen;
    for (std::size_t n = in.count(sizeof(std::uint32_t) + sizeof(std::uint64_t)); n > 0; --n) {
      const std::size_t offset = in.offset();
      const std::string_view name = string(in);
      const auto size = in.number<std::uint64_t>();
      const std::size_t begin = in.offset();
      ByteReader value(in.raw(size), begin);
      bool known = false;
      layer.attributes(layer, [&](std::string_view declared, auto& attribute) {
        if (declared != name) return;
        known = true;
        get(value, attribute);
      });
      if (!known || !seen.insert(name).second) {
        throw incompatible("attribute '", name, "' of ", L::kind, " at offset ", offset,
                           known ? " occurs twice" : " is unknown to this version");
      }
      value.expect_end();
    }
  }

  std::string_view string(ByteReader& in) const {
    const std::size_t offset = in.offset();
    const auto index = in.number<std::uint32_t>();
    if (index >= strings_.size()) {
      throw incompatible("string index at offset ", offset, " is ", index, ", expected less than ",
                         strings_.size());
    }
    return strings_[index];
  }

  std::string copy(ByteReader& in) const {
    const std::string_view s = string(in);
    budget_.take(s.size());
    return std::string(s);
  }

  template <typename T>
  static T known(std::optional<T> value, std::size_t offset, std::string_view name) {
    if (!value)
      throw incompatible("name '", name, "' at offset ", offset, " is unknown to this version");
    return *value;
  }

  void get(ByteReader& in, bool& value) const { value = in.flag(); }
  void get(ByteReader& in, std::int64_t& value) const { value = in.number<std::int64_t>(); }
  void get(ByteReader& in, double& value) const { value = in.number<double>(); }
  void get(ByteReader& in, std::string& value) const { value = copy(in); }
  void get(ByteReader& in, DType& value) const {
    const std::size_t offset = in.offset();
    const std::string_view name = string(in);
    value = known(dtype_from_name(name), offset, name);
  }
  template <AttributeEnum Enum>
  void get(ByteReader& in, Enum& value) const {
    const std::size_t offset = in.offset();
    const std::string_view name = string(in);
    value = known(enum_from_name<Enum>(name), offset, name);
  }
  void get(ByteReader& in, Extent& value) const {
    const bool dynamic = in.flag();
    const auto min = in.number<std::int64_t>();
    if (!dynamic) {
      value = min;
      return;
    }
    const auto opt = in.number<std::int64_t>();
    value = Extent::range(min, opt, in.number<std::int64_t>());
  }
  template <typename T>
  void get(ByteReader& in, std::vector<T>& list) const {
    const std::size_t count = in.count(sizeof(std::int64_t));
    budget_.take(count, sizeof(T));
    list.resize(count);
    for (T& element : list) get(in, element);
  }
  void get(ByteReader& in, TensorType& type) const {
    get(in, type.dtype);
    get(in, type.dims);
  }
  void get(ByteReader& in, Tensor& tensor) const {
    get(in, tensor.dtype);
    get(in, tensor.dims);
    if (in.flag()) {
      const auto bytes = in.raw(in.number<std::uint32_t>());
      budget_.take(bytes.size() + sizeof(std::vector<std::byte>));
      tensor.bytes = Blob::of({bytes.begin(), bytes.end()});
      return;
    }
    const std::size_t offset = in.offset();
    const auto index = in.number<std::uint32_t>();
    if (index >= weights_.size()) {
      throw incompatible("weight index at offset ", offset, " is ", index, ", expected less than ",
                         weights_.size());
    }
    tensor.bytes = weights_[index];
  }
  void get(ByteReader& in, PluginField& field) const {
    get(in, field.name);
    if (in.flag()) {
      get(in, field.value.emplace<std::string>());
    } else {
      get(in, field.value.emplace<Tensor>());
    }
  }
  void get(ByteReader& in, std::shared_ptr<const Network>& network) const {
    budget_.take(sizeof(Network));
    network = std::make_shared<const Network>(
        Reader(strings_, weights_, budget_, depth_ + 1).network(in));
  }

  const std::vector<std::string_view>& strings_;
  std::span<const Blob> weights_;
  Budget& budget_;
  int depth_;
};

}  // namespace

Network Network::from_binary(std::span<const std::byte> structure, std::span<const Blob> weights,
                             std::size_t memory) {
  try {
    ByteReader in(structure);
    Budget budget(memory);
    const std::vector<std::string_view> strings = read_strings(in, budget);
    Network network = Reader(strings, weights, budget, 0).network(in);
    in.expect_end();
    return network;
  } catch (const Error& error) {
    throw incompatible("network structure: ", error.what());
  }
}

}  // namespace torch_tensorrt::core
