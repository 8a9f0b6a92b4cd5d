// Text -> Network, the inverse of network_text.cpp. Texts may be written by hand: value numbers
// need only be unique, and attributes that are left out have their defaults.

#include <charconv>
#include <map>
#include <set>

#include "core/artifact.h"
#include "core/infer.h"
#include "core/network.h"
#include "core/network_text.h"
#include "core/text_cursor.h"

namespace torch_tensorrt::core {
namespace {

class Parser {
 public:
  Parser(TextCursor& in, const Network::WeightLookup& weights, int depth)
      : in_(in), weights_(weights), depth_(depth) {
    if (depth > kMaxNesting) throw in.error("networks nest deeper than ", kMaxNesting);
  }

  Network network() {
    in_.expect("network");
    in_.expect("{");
    while (!in_.accept("return")) statement();
    for (bool more = in_.peek() == '%'; more; more = in_.accept(",")) {
      const ValueId value = operand();
      network_.mark_output(value, in_.quoted());
    }
    in_.expect("}");
    return std::move(network_);
  }

 private:
  struct Declared {
    std::uint64_t number;
    TensorType type;
  };

  void statement() {
    std::vector<Declared> results;
    do {
      Declared& result = results.emplace_back();
      in_.expect("%");
      result.number = in_.number<std::uint64_t>();
      in_.expect(":");
      get(result.type);
    } while (in_.accept(","));
    in_.expect("=");
    const std::string_view kind = in_.word();
    std::optional<Layer> layer = layer_of_kind(kind);
    if (!layer) throw in_.error("'", kind, "' is no layer kind");
    std::vector<ValueId> inputs;
    in_.expect("(");
    for (bool more = in_.peek() != ')'; more; more = in_.accept(",")) {
      inputs.push_back(in_.accept("_") ? kAbsent : operand());
    }
    in_.expect(")");
    std::visit([&](auto& l) { get_attributes(l); }, *layer);
    add(std::move(*layer), inputs, results);
  }

  void add(Layer layer, std::span<const ValueId> inputs, const std::vector<Declared>& declared) {
    const std::string_view kind = kind_of(layer);
    const TextCursor here = in_;
    std::vector<ValueId> results;
    try {
      results = network_.add(std::move(layer), inputs, origin());
    } catch (const Error& error) {
      throw here.error(error.what());
    }
    if (results.size() != declared.size()) {
      throw here.error(kind, " has ", results.size(), " results, the text names ", declared.size());
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (network_.type(results[i]) != declared[i].type) {
        throw here.error("%", declared[i].number, " is ", network_.type(results[i]),
                         ", the text says ", declared[i].type);
      }
      if (!values_.emplace(declared[i].number, results[i]).second) {
        throw here.error("%", declared[i].number, " is defined twice");
      }
    }
  }

  ValueId operand() {
    in_.expect("%");
    const auto number = in_.number<std::uint64_t>();
    const auto found = values_.find(number);
    if (found == values_.end()) throw in_.error("%", number, " is not defined before its use");
    return found->second;
  }

  Origin origin() {
    const std::string_view comment = in_.comment();
    const std::size_t gap = std::min(comment.find("  "), comment.size());
    const auto part = [&](std::string_view s) { return s == "-" ? "" : in_.unescaped(s); };
    return {part(comment.substr(0, gap)), part(comment.substr(std::min(gap + 2, comment.size())))};
  }

  template <typename L>
  void get_attributes(L& layer) {
    if (!in_.accept("{")) return;
    std::set<std::string_view> seen;
    do {
      const std::string_view name = in_.word();
      in_.expect("=");
      bool known = false;
      layer.attributes(layer, [&](std::string_view declared, auto& value) {
        if (declared != name) return;
        known = true;
        get(value);
      });
      if (!known) throw in_.error(L::kind, " has no attribute '", name, "'");
      if (!seen.insert(name).second) throw in_.error("attribute '", name, "' occurs twice");
    } while (in_.accept(","));
    in_.expect("}");
  }

  template <typename T>
  T known(std::optional<T> value, std::string_view name) const {
    if (!value) throw in_.error("unknown name '", name, "'");
    return *value;
  }

  void get(bool& value) {
    const std::string_view word = in_.word();
    if (word != "true" && word != "false")
      throw in_.error("'", word, "' found, expected true or false");
    value = word == "true";
  }
  void get(std::int64_t& value) { value = in_.number<std::int64_t>(); }
  void get(double& value) { in_.element(DType::f64, reinterpret_cast<std::byte*>(&value)); }
  void get(std::string& value) { value = in_.quoted(); }
  void get(DType& value) {
    const std::string_view word = in_.word();
    value = known(dtype_from_name(word), word);
  }
  template <AttributeEnum Enum>
  void get(Enum& value) {
    const std::string_view word = in_.word();
    value = known(enum_from_name<Enum>(word), word);
  }
  void get(Extent& value) {
    value = in_.number<std::int64_t>();
    if (!in_.accept("..")) return;
    const auto opt = in_.number<std::int64_t>();
    in_.expect("..");
    value = Extent::range(value.min, opt, in_.number<std::int64_t>());
  }
  template <typename T>
  void get(std::vector<T>& list) {
    list.clear();
    in_.expect("[");
    for (bool more = in_.peek() != ']'; more; more = in_.accept(",")) get(list.emplace_back());
    in_.expect("]");
  }
  void get(TensorType& type) {
    get(type.dtype);
    get(type.dims);
  }
  void get(Tensor& tensor) {
    get(tensor.dtype);
    get(tensor.dims);
    in_.expect("data");
    in_.expect("=");
    if (in_.accept("sha256")) {
      in_.expect(":");
      tensor.bytes = weight(in_.word());
      return;
    }
    std::vector<std::byte> bytes;
    const std::size_t width = element_width(tensor.dtype);
    in_.expect("[");
    for (bool more = in_.peek() != ']'; more; more = in_.accept(",")) {
      bytes.resize(bytes.size() + width);
      in_.element(tensor.dtype, bytes.data() + bytes.size() - width);
    }
    in_.expect("]");
    tensor.bytes = Blob::of(std::move(bytes));
  }
  Blob weight(std::string_view digest) const {
    if (!weights_) throw in_.error("the text refers to data by digest, and no weights were given");
    Blob blob = weights_(digest);
    if (to_hex(sha256(blob.bytes())) != digest)
      throw in_.error("no data of digest ", digest, " were given");
    return blob;
  }
  void get(PluginField& field) {
    get(field.name);
    in_.expect(":");
    if (in_.peek() == '"') {
      get(field.value.emplace<std::string>());
    } else {
      get(field.value.emplace<Tensor>());
    }
  }
  void get(std::shared_ptr<const Network>& network) {
    network = std::make_shared<const Network>(Parser(in_, weights_, depth_ + 1).network());
  }

  TextCursor& in_;
  const Network::WeightLookup& weights_;
  int depth_;
  Network network_;
  std::map<std::uint64_t, ValueId> values_;
};

}  // namespace

Network Network::parse(std::string_view text, const WeightLookup& weights) {
  TextCursor in(text);
  Network network = Parser(in, weights, 0).network();
  in.expect_end();
  return network;
}

}  // namespace torch_tensorrt::core
