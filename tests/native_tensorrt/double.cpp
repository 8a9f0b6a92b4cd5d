#include "double.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <type_traits>

#include "core/text.h"

// Deprecated functions have to be overridden, and deprecated members of enums have names.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace torch_tensorrt::tests {

using namespace nvinfer1;  // NOLINT: the generated classes are written in NVIDIA's names

namespace {

// ---- Values as text ----------------------------------------------------------------------------

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const char* value) { return core::text('"', value, '"'); }

template <std::integral Integer>
std::string text_of(Integer value) {
  return std::to_string(value);
}

std::string text_of(double value) {
  std::array<char, 40> buffer;
  const auto end = buffer.data() + buffer.size();
  return {buffer.data(), std::to_chars(buffer.data(), end, static_cast<float>(value)).ptr};
}

std::string text_of(const Dims& dims) {
  return '[' + core::join(std::span(dims.d, static_cast<std::size_t>(dims.nbDims))) + ']';
}

/// A permutation's length is that of its only head that is one with zeros behind it.
std::string text_of(const Permutation& permutation) {
  std::span<const std::int32_t> order(permutation.order);
  while (order.size() > 1 && std::ranges::max(order) + 1 < static_cast<int>(order.size())) {
    order = order.first(order.size() - 1);
  }
  return '[' + core::join(order) + ']';
}

std::string text_of(DataType type) {
  switch (type) {
    case DataType::kFLOAT:
      return "f32";
    case DataType::kHALF:
      return "f16";
    case DataType::kBF16:
      return "bf16";
    case DataType::kINT64:
      return "i64";
    case DataType::kINT32:
      return "i32";
    case DataType::kINT8:
      return "i8";
    case DataType::kUINT8:
      return "u8";
    case DataType::kBOOL:
      return "b";
    case DataType::kINT4:
      return "i4";
    case DataType::kFP8:
      return "f8";
    case DataType::kFP4:
      return "f4";
    default:
      return "?";
  }
}

#include "recorded_enums.inc"

const std::map<core::DType, PluginFieldType> kFieldTypes = {
    {core::DType::f32, PluginFieldType::kFLOAT32}, {core::DType::f16, PluginFieldType::kFLOAT16},
    {core::DType::f64, PluginFieldType::kFLOAT64}, {core::DType::bf16, PluginFieldType::kBF16},
    {core::DType::i64, PluginFieldType::kINT64},   {core::DType::i32, PluginFieldType::kINT32},
    {core::DType::i8, PluginFieldType::kINT8}};

// ---- What the generated classes are made of ----------------------------------------------------

/// One of TensorRT's private objects behind an interface object: records and remembers what is set.
class Part {
 public:
  Part(Recorder& recorder, std::uint32_t id) : recorder_(recorder), id_(id) {}

  template <class Value>
  void keep(const std::string& key, const Value& value) {
    if constexpr (std::derived_from<Value, ITensor>) {
      values_[key] = const_cast<ITensor*>(&value);
    } else if constexpr (std::same_as<Value, const char*>) {
      values_[key] = std::string(value);
    } else if constexpr (std::same_as<Value, std::span<const float>>) {
      values_[key] = std::vector<float>(value.begin(), value.end());
    } else {
      values_[key] = value;
    }
  }

 protected:
  template <class... Values>
  void record(const char* name, const Values&... values) const {
    recorder_.line(core::text(self(), '.', name, '(', list_text(values...), ')'));
  }
  template <class Double, class... Values>
  Double* give(const char* name, const Values&... values) const {
    Double* made = recorder_.make<Double>();
    recorder_.line(core::text(recorder_.name_of(*made), " = ", self(), '.', name, '(',
                              list_text(values...), ')'));
    return made;
  }
  template <class Value>
  void set(const std::string& name, const std::string& key, const Value& value) {
    recorder_.line(core::text(self(), '.', name, " = ", text(value)));
    keep(key, value);
  }
  template <class Value>
  const Value& get(const std::string& key) const {
    static const Value unset{};
    const auto found = values_.find(key);
    return found != values_.end() ? *std::any_cast<Value>(&found->second) : unset;
  }
  const char* get_text(const std::string& key) const { return get<std::string>(key).c_str(); }
  template <class Result>
  Result unexpected(const char* name) const {
    recorder_.line(std::string("unexpected ") + name);
    return Result();
  }

  ITensor* get_input(std::int32_t index) const { return get<ITensor*>(std::to_string(index)); }
  void set_input(std::int32_t index, ITensor& tensor) {
    record("set_input", index, tensor);
    keep(std::to_string(index), tensor);
  }
  std::int32_t copy_floats(const std::string& key, std::int32_t size, float* out) const {
    const auto& values = get<std::vector<float>>(key);
    std::copy_n(values.begin(), std::min(values.size(), static_cast<std::size_t>(size)), out);
    return static_cast<std::int32_t>(values.size());
  }

 private:
  std::string self() const { return Recorder::name_of(id_); }

  template <class... Values>
  std::string list_text(const Values&... values) const {
    return core::join(std::vector<std::string>{text(values)...});
  }
  template <class Item>
  std::string text(std::span<Item> items) const {
    std::vector<std::string> texts;
    for (const auto& item : items) texts.push_back(text(item));
    return '[' + core::join(texts) + ']';
  }
  template <class Value>
  std::string text(const Value& value) const {
    if constexpr (std::derived_from<Value, INoCopy>) {
      return recorder_.name_of(value);
    } else if constexpr (std::same_as<Value, IPluginV2> || std::same_as<Value, IPluginV3>) {
      return recorder_.name_of_other(value);
    } else if constexpr (std::same_as<Value, ITensor*>) {
      return value == nullptr ? "none" : recorder_.name_of(*value);
    } else if constexpr (std::same_as<Value, Weights>) {
      return recorder_.text_of(value);
    } else {
      return text_of(value);
    }
  }

  Recorder& recorder_;
  std::uint32_t id_;
  std::map<std::string, std::any> values_;
};

#include "recorded_classes.inc"

}  // namespace

// ---- The recording -----------------------------------------------------------------------------

std::string Recorder::name_of(std::uint32_t id) {
  return id == 0 ? "network" : core::text('%', id);
}

std::string Recorder::name_of(const INoCopy& object) const { return name_of(ids_.at(&object)); }

std::string Recorder::text_of(const Weights& weights) const {
  if (weights.count == 0) return "none";
  for (std::size_t i = 0; i < script_.weights.size(); ++i) {
    const auto& entry = script_.weights[i];
    const auto size = static_cast<std::size_t>(core::byte_size(entry.dtype, weights.count));
    if (entry.bytes.data() != weights.values || entry.bytes.size() != size) continue;
    if (tests::text_of(weights.type) != core::name(entry.dtype)) continue;
    return core::text('w', i, ':', core::name(entry.dtype), '[', size, " bytes]");
  }
  return "unknown weights";
}

std::string Recorder::text_of(const PluginField& field) const {
  if (field.type == PluginFieldType::kCHAR) {
    const std::string_view characters(static_cast<const char*>(field.data),
                                      static_cast<std::size_t>(field.length));
    return core::text(field.name, ": \"", characters, '"');
  }
  for (std::size_t i = 0; i < script_.weights.size(); ++i) {
    const auto& entry = script_.weights[i];
    if (entry.bytes.data() != field.data || kFieldTypes.at(entry.dtype) != field.type) continue;
    if (core::byte_size(entry.dtype, field.length) != static_cast<int>(entry.bytes.size()))
      continue;
    return core::text(field.name, ": w", i, ':', core::name(entry.dtype), '[', entry.bytes.size(),
                      " bytes]");
  }
  return std::string(field.name) + ": unknown weights";
}

// ---- Plugins -----------------------------------------------------------------------------------

namespace {

#include "plain_interfaces.inc"

int living_plugins = 0;

struct PluginDouble final : IPluginV3 {
  PluginDouble() { ++living_plugins; }
  ~PluginDouble() override { --living_plugins; }
  IPluginCapability* getCapabilityInterface(PluginCapabilityType) noexcept override {
    return nullptr;
  }
  IPluginV3* clone() noexcept override { return nullptr; }
};

struct OldPluginDouble final : PlainPluginV2 {
  OldPluginDouble() { ++living_plugins; }
  void destroy() noexcept override {
    --living_plugins;
    delete this;
  }
};

/// "Old", of the interface before IPluginV3.
class OldCreatorDouble final : public IPluginCreator {
 public:
  explicit OldCreatorDouble(Recorder& recorder) : recorder_(recorder) {}

  IPluginV2* createPlugin(AsciiChar const* name, PluginFieldCollection const*) noexcept override {
    auto* plugin = new OldPluginDouble;
    recorder_.line(core::text(Recorder::name_of(recorder_.number(*plugin)), " = ",
                              recorder_.name_of_other(*this), ".create_plugin(\"", name,
                              "\", {})"));
    return plugin;
  }
  IPluginV2* deserializePlugin(AsciiChar const*, void const*, std::size_t) noexcept override {
    return nullptr;
  }
  PluginFieldCollection const* getFieldNames() noexcept override { return nullptr; }
  AsciiChar const* getPluginName() const noexcept override { return "Old"; }
  AsciiChar const* getPluginVersion() const noexcept override { return "1"; }
  AsciiChar const* getPluginNamespace() const noexcept override { return ""; }
  void setPluginNamespace(AsciiChar const*) noexcept override {}

 private:
  Recorder& recorder_;
};

/// Makes no plugin of a field `fails`.
class CreatorDouble final : public IPluginCreatorV3One {
 public:
  CreatorDouble(Recorder& recorder, const char* name, const char* version, const char* ns)
      : recorder_(recorder), name_(name), version_(version), namespace_(ns) {}

  IPluginV3* createPlugin(AsciiChar const* name, PluginFieldCollection const* fields,
                          TensorRTPhase phase) noexcept override {
    std::vector<std::string> texts;
    for (const PluginField& field :
         std::span(fields->fields, static_cast<std::size_t>(fields->nbFields))) {
      if (std::string_view(field.name) == "fails") return nullptr;
      texts.push_back(recorder_.text_of(field));
    }
    auto* plugin = new PluginDouble;
    recorder_.line(core::text(Recorder::name_of(recorder_.number(*plugin)), " = ",
                              recorder_.name_of_other(*this), ".create_plugin(\"", name, "\", {",
                              core::join(texts), "}, TensorRTPhase.",
                              phase == TensorRTPhase::kBUILD ? "BUILD" : "RUNTIME", ')'));
    return plugin;
  }
  PluginFieldCollection const* getFieldNames() noexcept override { return nullptr; }
  AsciiChar const* getPluginName() const noexcept override { return name_; }
  AsciiChar const* getPluginVersion() const noexcept override { return version_; }
  AsciiChar const* getPluginNamespace() const noexcept override { return namespace_; }

 private:
  Recorder& recorder_;
  const char* name_;
  const char* version_;
  const char* namespace_;
};

class RegistryDouble final : public PlainPluginRegistry {
 public:
  explicit RegistryDouble(Recorder& recorder)
      : recorder_(recorder),
        scale_(recorder, "Scale", "1", "mylib"),
        roi_align_(recorder, "ROIAlign_TRT", "2", ""),
        old_(recorder) {}

  IPluginCreatorInterface* getCreator(AsciiChar const* const name, AsciiChar const* const version,
                                      AsciiChar const* const ns) noexcept override {
    const auto is_wanted = [&](const auto& creator) {
      return std::string_view(name) == creator.getPluginName() &&
             std::string_view(version) == creator.getPluginVersion() &&
             std::string_view(ns) == creator.getPluginNamespace();
    };
    IPluginCreatorInterface* found = nullptr;
    if (is_wanted(scale_)) found = &scale_;
    if (is_wanted(roi_align_)) found = &roi_align_;
    if (is_wanted(old_)) found = &old_;
    if (found == nullptr) return nullptr;
    recorder_.line(core::text(Recorder::name_of(recorder_.number(*found)),
                              " = registry.get_creator(\"", name, "\", \"", version, "\", \"", ns,
                              "\")"));
    return found;
  }
  IPluginCreatorInterface* const* getAllCreatorsRecursive(
      std::int32_t* const count) noexcept override {
    *count = static_cast<std::int32_t>(all_.size());
    return all_.data();
  }

 private:
  Recorder& recorder_;
  CreatorDouble scale_, roi_align_;
  OldCreatorDouble old_;
  std::array<IPluginCreatorInterface*, 3> all_ = {&scale_, &roi_align_, &old_};
};

}  // namespace

RecordingNetwork::RecordingNetwork(const Script& script)
    : recorder_(script),
      network_(recorder_.make<NetworkDefinitionDouble>()),
      registry_(std::make_shared<RegistryDouble>(recorder_)) {}

int RecordingNetwork::plugins() { return living_plugins; }

INetworkDefinition& RecordingNetwork::network() { return *network_; }

// ---- Texts that have to agree ------------------------------------------------------------------

namespace {

std::string without_defaults(const std::string& line) {
  static const std::vector<std::pair<std::regex, std::string>> rules = {
      {std::regex(R"((\.add_fill\(.*), f32\)$)"), "$1)"},
      {std::regex(R"((\.add_(?:topk|nms|non_zero)\(.*), i32\)$)"), "$1)"},
      {std::regex(R"((\.add_(?:de)?convolution_nd\(.*), none\)$)"), "$1)"},
      {std::regex(R"((\.add_iterator\(.*), false\)$)"), "$1)"},
      {std::regex(R"((\.add_(?:iterator|loop_output)\(%\d+(?:, [A-Z]\w+\.\w+)?), 0\)$)"), "$1)"},
  };
  std::string out = line;
  for (const auto& [pattern, replacement] : rules)
    out = std::regex_replace(out, pattern, replacement);
  return out;
}

/// The numbers behind each `%` of the text, as often as they occur.
std::map<std::string, int> uses_of_objects(const std::string& text) {
  static const std::regex object(R"(%\d+)");
  std::map<std::string, int> uses;
  for (std::sregex_iterator it(text.begin(), text.end(), object), end; it != end; ++it) {
    ++uses[it->str()];
  }
  return uses;
}

}  // namespace

std::string normalized(const std::string& text) {
  std::map<std::string, int> uses = uses_of_objects(text);
  std::map<std::string, std::string> names;
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    // The types of tensors are compared with what is expected, never set.
    if (line.starts_with("profile ") || line.find(".dtype = ") != line.npos) continue;
    const std::string result = line.substr(0, line.find(' '));
    if (uses[result] == 1) line.erase(0, result.size() + 3);
    std::string renamed;
    static const std::regex token(R"(%\d+|[^%]+)");
    const std::string plain = without_defaults(line);
    for (std::sregex_iterator it(plain.begin(), plain.end(), token), end; it != end; ++it) {
      const std::string part = it->str();
      if (part[0] != '%') {
        renamed += part;
        continue;
      }
      renamed += names.try_emplace(part, core::text('%', names.size() + 1)).first->second;
    }
    out += renamed + '\n';
  }
  return out;
}

Script in_single_precision(Script script) {
  for (auto& step : script.steps) {
    for (auto& argument : step.arguments) {
      auto* value = std::get_if<double>(&argument);
      if (value != nullptr) *value = std::strtod(text_of(*value).c_str(), nullptr);
    }
  }
  return script;
}

}  // namespace torch_tensorrt::tests
