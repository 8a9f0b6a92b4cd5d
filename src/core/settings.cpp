#include "core/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt::core {
namespace {

// ---- what the values of one setting may be, beyond their C++ type ----

struct Bounds {
  std::string_view setting;
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};
constexpr auto kBounds = std::to_array<Bounds>({{"min_block_size", 1},
                                                {"gpu_id", 0},
                                                {"dla_core", 0},
                                                {"num_threads", 0},
                                                {"num_avg_timing_iters", 1},
                                                {"workspace_size", 0},
                                                {"optimization_level", -1, 5},
                                                {"max_aux_streams", -1},
                                                {"l2_limit_for_tiling", -1},
                                                {"dla_sram_size", 0},
                                                {"dla_local_dram_size", 0},
                                                {"dla_global_dram_size", 0}});

struct Choices {
  std::string_view setting;
  std::vector<std::string> values;
};
const std::vector<Choices>& all_choices() {
  static const std::vector<Choices> choices = {
      {"device_type", {"auto", "cpu", "gpu", "dla"}},
      {"capability", {"standard", "safety", "dla_standalone"}},
      {"tiling_optimization_level", {"none", "fast", "moderate", "full"}}};
  return choices;
}

struct PrecisionName {
  std::string_view name;
  DType dtype;
};
constexpr auto kPrecisionNames = std::to_array<PrecisionName>({{"f32", DType::f32},
                                                               {"fp32", DType::f32},
                                                               {"float32", DType::f32},
                                                               {"float", DType::f32},
                                                               {"f16", DType::f16},
                                                               {"fp16", DType::f16},
                                                               {"float16", DType::f16},
                                                               {"half", DType::f16},
                                                               {"bf16", DType::bf16},
                                                               {"bfloat16", DType::bf16},
                                                               {"i8", DType::i8},
                                                               {"int8", DType::i8},
                                                               {"char", DType::i8}});

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// ---- values as text, for messages ----

std::string show(bool value) { return value ? "true" : "false"; }
std::string show(std::int64_t value) { return std::to_string(value); }
std::string show(const std::string& value) { return text('\'', value, '\''); }
std::string show(const Strings& values) {
  Strings quoted;
  for (const std::string& value : values) quoted.push_back(show(value));
  return text('[', join(quoted), ']');
}
std::string show(const SettingValue& value) {
  return std::visit([](const auto& v) { return show(v); }, value);
}

Error wrong_value(std::string_view setting, const std::string& got, std::string_view expected) {
  return invalid_argument("setting '", setting, "' is ", got, ", expected ", expected);
}

// ---- one overload of `read`, `write` and `kind` for each C++ type of a setting ----

void read(bool& out, std::string_view setting, const SettingValue& value) {
  const bool* flag = std::get_if<bool>(&value);
  if (!flag) throw wrong_value(setting, show(value), "a bool");
  out = *flag;
}

void read(std::int64_t& out, std::string_view setting, const SettingValue& value) {
  const std::int64_t* number = std::get_if<std::int64_t>(&value);
  if (!number) throw wrong_value(setting, show(value), "an int");
  const auto bounds = std::ranges::find(kBounds, setting, &Bounds::setting);
  if (bounds != kBounds.end() && (*number < bounds->least || *number > bounds->most)) {
    const bool open = bounds->most == std::numeric_limits<std::int64_t>::max();
    throw wrong_value(setting, show(*number),
                      open ? text("an int of at least ", bounds->least)
                           : text("an int in ", bounds->least, "..", bounds->most));
  }
  out = *number;
}

void read(std::string& out, std::string_view setting, const SettingValue& value) {
  const std::string* string = std::get_if<std::string>(&value);
  if (!string) throw wrong_value(setting, show(value), "a str");
  const auto choices = std::ranges::find(all_choices(), setting, &Choices::setting);
  if (choices == all_choices().end()) {
    out = *string;
    return;
  }
  std::string choice = lower(*string);
  if (std::ranges::find(choices->values, choice) == choices->values.end()) {
    throw wrong_value(setting, show(*string), text("one of ", join(choices->values)));
  }
  out = std::move(choice);
}

Strings strings_of(std::string_view setting, const SettingValue& value, std::string_view expected) {
  if (const std::string* one = std::get_if<std::string>(&value)) return {*one};
  const Strings* many = std::get_if<Strings>(&value);
  if (!many) throw wrong_value(setting, show(value), expected);
  return *many;
}

void read(Strings& out, std::string_view setting, const SettingValue& value) {
  out = strings_of(setting, value, "a list of str");
}

void read(Precisions& out, std::string_view setting, const SettingValue& value) {
  constexpr std::string_view expected = "a set of f32, f16, bf16, i8 (or other spellings of these)";
  Precisions precisions = {DType::f32};
  for (const std::string& name : strings_of(setting, value, expected)) {
    const std::string key = lower(name);
    const auto found = std::ranges::find(kPrecisionNames, key, &PrecisionName::name);
    if (found == kPrecisionNames.end()) {
      throw invalid_argument("setting '", setting, "' contains ", show(name), ", expected ",
                             expected);
    }
    precisions.insert(found->dtype);
  }
  out = std::move(precisions);
}

SettingValue write(bool value) { return value; }
SettingValue write(std::int64_t value) { return value; }
SettingValue write(const std::string& value) { return value; }
SettingValue write(const Strings& value) { return value; }
SettingValue write(const Precisions& value) {
  Strings names;
  for (const DType dtype : value) names.emplace_back(name(dtype));
  return names;
}

std::string_view kind(bool) { return "bool"; }
std::string_view kind(std::int64_t) { return "int"; }
std::string_view kind(const std::string&) { return "str"; }
std::string_view kind(const Strings&) { return "list of str"; }
std::string_view kind(const Precisions&) { return "set of dtype"; }

std::string default_text(const SettingValue& value) {
  if (const Strings* strings = std::get_if<Strings>(&value)) return join(*strings);
  if (const std::string* string = std::get_if<std::string>(&value)) return *string;
  return show(value);
}

Error unknown_setting(std::string_view name) {
  Strings names;
  for (const SettingInfo& info : setting_table()) names.emplace_back(info.name);
  const std::string nearest = nearest_name(name, names);
  const std::string hint =
      nearest.empty() ? text("settings are ", join(names)) : text("did you mean '", nearest, "'?");
  return {ErrorKind::unknown_setting, text("unknown setting '", name, "'; ", hint)};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<SettingInfo>& setting_table() {
  static const std::vector<SettingInfo> table = [] {
    const Settings defaults;
    std::vector<SettingInfo> rows;
#define TORCHTRT_SETTING_ROW(name, type, default_, doc) \
  rows.push_back({ #name, kind(defaults.name), default_text(write(defaults.name)), doc });
    TORCHTRT_SETTINGS(TORCHTRT_SETTING_ROW)
#undef TORCHTRT_SETTING_ROW
    return rows;
  }();
  return table;
}

void set_setting(Settings& settings, std::string_view name, const SettingValue& value) {
#define TORCHTRT_SET(name_, type, default_, doc) \
  if (name == #name_) return read(settings.name_, name, value);
  TORCHTRT_SETTINGS(TORCHTRT_SET)
#undef TORCHTRT_SET
  throw unknown_setting(name);
}

SettingValue get_setting(const Settings& settings, std::string_view name) {
#define TORCHTRT_GET(name_, type, default_, doc) \
  if (name == #name_) return write(settings.name_);
  TORCHTRT_SETTINGS(TORCHTRT_GET)
#undef TORCHTRT_GET
  throw unknown_setting(name);
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string nearest;
  // Further away than a third of the name is another word, not a slip.
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace torch_tensorrt::core
