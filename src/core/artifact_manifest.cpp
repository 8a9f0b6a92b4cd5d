#include "core/artifact_manifest.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEntries = 4096;
constexpr std::size_t kMaxName = 1024;
constexpr int kMaxDepth = 8;

// ---- writing ----

json to_json(const IoEntry& entry) {
  json dims = json::array();
  for (const Extent& e : entry.type.dims) {
    if (e.dynamic) {
      dims.push_back({e.min, e.opt, e.max});
    } else {
      dims.push_back(e.min);
    }
  }
  return {{"name", entry.name},
          {"dtype", name(entry.type.dtype)},
          {"dims", dims},
          {"host", entry.host}};
}

json to_json(const std::vector<IoEntry>& entries) {
  json list = json::array();
  for (const IoEntry& entry : entries) list.push_back(to_json(entry));
  return list;
}

// ---- reading ----

/// What a DOM no longer shows: depth, and keys that occur twice. Apart from the parser that makes
/// the DOM, whose callbacks take a time that grows with the square of a list's length.
class Strict final : public json::json_sax_t {
 public:
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return deeper();
  }
  bool end_object() override {
    keys_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& key) override {
    if (!keys_.back().insert(key).second)
      throw incompatible("manifest has the key '", key, "' twice");
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    throw incompatible("manifest is not JSON: ", error.what());
  }

 private:
  bool deeper() {
    if (++depth_ > kMaxDepth) throw incompatible("manifest is nested deeper than ", kMaxDepth);
    return true;
  }

  int depth_ = 0;
  std::vector<std::set<std::string>> keys_;
};

json parse_strictly(std::string_view text) {
  if (text.size() > kMaxManifest) {
    throw incompatible("manifest has ", text.size(), " bytes, expected at most ", kMaxManifest);
  }
  Strict strict;
  json::sax_parse(text.begin(), text.end(), &strict);
  return json::parse(text.begin(), text.end());
}

const json& member(const json& object, const char* key, json::value_t type) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end())
    throw incompatible("manifest lacks '", key, "'");
  const bool fits = found->type() == type || (type == json::value_t::string && found->is_string());
  if (!fits)
    throw incompatible("manifest has '", key, "' of type ", found->type_name(), ", expected ",
                       json(type).type_name());
  return *found;
}

std::string string_member(const json& object, const char* key) {
  return member(object, key, json::value_t::string).get<std::string>();
}

const json& list_member(const json& object, const char* key) {
  const json& list = member(object, key, json::value_t::array);
  return list;
}

std::uint64_t integer(const json& value, std::string_view what) {
  if (!value.is_number_unsigned())
    throw incompatible("manifest has ", what, " ", value.dump(), ", expected a number >= 0");
  return value.get<std::uint64_t>();
}

std::int64_t dimension(const json& value) {
  const std::uint64_t size = integer(value, "a dimension");
  if (size > static_cast<std::uint64_t>(kMaxDim))
    throw incompatible("manifest has a dimension ", size, ", expected at most 2^40");
  return static_cast<std::int64_t>(size);
}

Extent read_extent(const json& value) {
  if (!value.is_array()) return dimension(value);
  if (value.size() != 3)
    throw incompatible("manifest has a range ", value.dump(), ", expected [min, opt, max]");
  return Extent::range(dimension(value[0]), dimension(value[1]), dimension(value[2]));
}

IoEntry read_entry(const json& value) {
  IoEntry entry;
  entry.name = string_member(value, "name");
  const std::string dtype = string_member(value, "dtype");
  const std::optional<DType> known = dtype_from_name(dtype);
  if (!known) throw incompatible("manifest has the dtype '", dtype, "', unknown to this version");
  entry.type.dtype = *known;
  for (const json& dim : list_member(value, "dims")) entry.type.dims.push_back(read_extent(dim));
  entry.host = member(value, "host", json::value_t::boolean).get<bool>();
  return entry;
}

std::vector<IoEntry> read_entries(const json& list) {
  std::vector<IoEntry> entries;
  for (const json& value : list) entries.push_back(read_entry(value));
  return entries;
}

// ---- limits, the same for both ----

template <typename Failure>
void check_entries(const std::vector<IoEntry>& entries, std::string_view what, Failure failure) {
  if (entries.size() > kMaxEntries)
    throw failure(entries.size(), " ", what, ", expected at most ", kMaxEntries);
  std::set<std::string_view> names;
  for (const IoEntry& entry : entries) {
    if (entry.name.empty() || entry.name.size() > kMaxName) {
      throw failure("a name in ", what, " has ", entry.name.size(), " bytes, expected 1 to ",
                    kMaxName);
    }
    if (!names.insert(entry.name).second)
      throw failure(what, " has the name '", entry.name, "' twice");
    if (entry.type.rank() > kMaxRank)
      throw failure("'", entry.name, "' has rank ", entry.type.rank(), ", expected at most ",
                    kMaxRank);
    for (const Extent& e : entry.type.dims) {
      if (0 <= e.min && e.min <= e.opt && e.opt <= e.max && e.max <= kMaxDim) continue;
      throw failure("'", entry.name, "' has a dimension ", e,
                    ", expected 0 <= min <= opt <= max <= 2^40");
    }
  }
}

template <typename Failure>
void check_limits(const Manifest& manifest, Failure failure) {
  check_entries(manifest.inputs, "inputs", failure);
  check_entries(manifest.outputs, "outputs", failure);
  if (manifest.plans.size() > kMaxEntries)
    throw failure(manifest.plans.size(), " plans, expected at most ", kMaxEntries);
}

}  // namespace

std::string write_manifest(const Manifest& manifest) {
  check_limits(manifest,
               [](const auto&... args) { return invalid_argument("artifact: ", args...); });
  json plans = json::array();
  for (const Plan& plan : manifest.plans) {
    plans.push_back({{"engine", plan.engine}, {"version", plan.version}, {"device", plan.device}});
  }
  json weights = json::array();
  for (const auto& [offset, size] : manifest.weights)
    weights.push_back(json::array({offset, size}));
  json root = {{"name", manifest.name},
               {"producer", manifest.producer},
               {"preferred_engine", manifest.preferred_engine},
               {"inputs", to_json(manifest.inputs)},
               {"outputs", to_json(manifest.outputs)},
               {"plans", std::move(plans)},
               {"weights", std::move(weights)}};
  if (manifest.alternates) root["alternates"] = true;
  try {
    std::string text = root.dump();
    if (text.size() > kMaxManifest) {
      throw invalid_argument("artifact: the manifest has ", text.size(),
                             " bytes, expected at most ", kMaxManifest);
    }
    return text;
  } catch (const json::exception& error) {
    throw invalid_argument("artifact: a name is not UTF-8: ", error.what());
  }
}

Manifest read_manifest(std::string_view text) {
  const json root = parse_strictly(text);
  Manifest out;
  out.name = string_member(root, "name");
  out.producer = string_member(root, "producer");
  out.preferred_engine = string_member(root, "preferred_engine");
  if (root.contains("alternates")) {
    const json& value = root["alternates"];
    if (value != json(true))
      throw incompatible("manifest has alternates ", value.dump(),
                         ", expected true or no such key");
    out.alternates = true;
  }
  out.inputs = read_entries(list_member(root, "inputs"));
  out.outputs = read_entries(list_member(root, "outputs"));
  for (const json& plan : list_member(root, "plans")) {
    out.plans.push_back({string_member(plan, "engine"),
                         string_member(plan, "version"),
                         string_member(plan, "device"),
                         {}});
  }
  for (const json& place : list_member(root, "weights")) {
    if (!place.is_array() || place.size() != 2)
      throw incompatible("manifest has a weight ", place.dump(), ", expected [offset, size]");
    out.weights.emplace_back(integer(place[0], "an offset"), integer(place[1], "a size"));
  }
  check_limits(out, [](const auto&... args) { return incompatible("manifest: ", args...); });
  return out;
}

}  // namespace torch_tensorrt::core
