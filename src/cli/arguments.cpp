#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt::cli {
namespace {

using core::text;

/// One flag with all of its names. Where `value` is empty it takes none; where `optional_value`, it
/// may be left out; where `repeats`, each adds to the ones before.
struct Option {
  std::vector<std::string> names;
  std::string value;
  bool optional_value = false;
  std::string doc;
  std::function<void(Arguments&, const std::string& name, const std::string& value)> apply;
  bool repeats = false;
};

// ---- values ----

template <typename Number>
Number number(const std::string& name, const std::string& value, std::string_view expected) {
  Number out{};
  const char* const end = value.data() + value.size();
  const auto result = std::from_chars(value.data(), end, out);
  if (result.ec != std::errc() || result.ptr != end) {
    throw UsageError(text(name, " is '", value, "', expected ", expected));
  }
  return out;
}

bool boolean(const std::string& name, const std::string& value) {
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  throw UsageError(text(name, " is '", value, "', expected true or false"));
}

double tolerance(const std::string& name, const std::string& value) {
  constexpr std::string_view expected = "a number of at least 0";
  const auto out = number<double>(name, value, expected);
  if (!std::isfinite(out) || out < 0) {
    throw UsageError(text(name, " is '", value, "', expected ", expected));
  }
  return out;
}

core::Strings split(const std::string& value) {
  core::Strings parts;
  for (std::size_t start = 0; start <= value.size();) {
    const std::size_t comma = std::min(value.find(',', start), value.size());
    if (comma > start) parts.push_back(value.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

ReportForm report_form(const std::string& name, const std::string& value) {
  if (value.empty() || value == "text") return ReportForm::text;
  if (value == "json") return ReportForm::json;
  throw UsageError(text(name, " is '", value, "', expected text or json"));
}

// ---- settings ----

/// The further names that flags of settings have.
const std::map<std::string_view, core::Strings>& setting_aliases() {
  static const std::map<std::string_view, core::Strings> aliases = {
      {"enabled_precisions", {"-p", "--enable-precision"}},
      {"torch_executed_ops", {"--teo", "--torch-executed-op"}},
      {"torch_executed_modules", {"--tem", "--torch-executed-mod"}},
      {"min_block_size", {"--mbs"}},
      {"device_type", {"-d"}},
      {"capability", {"--engine-capability"}},
      {"debug", {"--build-debuggable-engine"}},
      {"truncate_long_and_double", {"--truncate", "--truncate-long-double", "--truncate-64bit"}}};
  return aliases;
}

bool is_list(const core::SettingInfo& info) {
  return info.kind == "list of str" || info.kind == "set of dtype";
}

core::SettingValue setting_value(const Arguments& arguments, const core::SettingInfo& info,
                                 const std::string& name, const std::string& value) {
  if (info.kind == "bool") return boolean(name, value);
  if (info.kind == "int") return number<std::int64_t>(name, value, "an integer");
  if (!is_list(info)) return value;
  // Given again, such a flag adds to its list.
  auto list = std::get<core::Strings>(core::get_setting(arguments.settings, info.name));
  for (std::string& part : split(value)) list.push_back(std::move(part));
  return list;
}

Option setting_option(const core::SettingInfo& info) {
  Option option;
  std::string flag = text("--", info.name);
  std::ranges::replace(flag, '_', '-');
  option.names = {std::move(flag)};
  if (const auto found = setting_aliases().find(info.name); found != setting_aliases().end()) {
    for (const std::string& alias : found->second) {
      const bool is_short = alias[1] != '-';
      option.names.insert(is_short ? option.names.begin() : option.names.end(), alias);
    }
  }
  option.optional_value = info.kind == "bool";
  option.value = info.kind == "bool" ? "true|false" : info.kind == "int" ? "N" : "X";
  option.doc = info.doc;
  option.repeats = is_list(info);
  if (option.repeats) option.doc += " (repeat, or separate by commas)";
  if (!info.default_text.empty()) option.doc += text("; default ", info.default_text);
  option.apply = [info](Arguments& arguments, const std::string& name, const std::string& value) {
    const core::SettingValue parsed = setting_value(arguments, info, name, value);
    try {
      core::set_setting(arguments.settings, info.name, parsed);
    } catch (const core::Error& error) {
      throw UsageError(text(name, ": ", error.what()));
    }
  };
  return option;
}

// ---- the program's own flags ----

/// A flag that takes no value.
Option flag(core::Strings names, std::string doc, std::function<void(Arguments&)> apply) {
  return {std::move(names),
          "",
          false,
          std::move(doc),
          [apply = std::move(apply)](Arguments& arguments, const std::string&, const std::string&) {
            apply(arguments);
          },
          /*repeats=*/true};
}

Option log_flag(core::Strings names, std::string doc, core::LogLevel level) {
  return {std::move(names),
          "",
          false,
          std::move(doc),
          [level](Arguments& arguments, const std::string& name, const std::string&) {
            const bool other = arguments.log_level != core::LogLevel::warning;
            if (other && arguments.log_level != level) {
              throw UsageError(text(name, ": only one of --verbose, --warnings and --info"));
            }
            arguments.log_level = level;
          },
          /*repeats=*/true};
}

std::vector<Option> own_options() {
  std::vector<Option> options;
  options.push_back(flag({"-h", "--help"}, "Print this text", [](Arguments& a) { a.help = true; }));
  options.push_back(flag({"--version"}, "Print the versions of this program and of PyTorch",
                         [](Arguments& a) { a.version = true; }));
  options.push_back(log_flag({"-v", "--verbose"}, "Log every step", core::LogLevel::debug));
  options.push_back(
      log_flag({"-w", "--warnings"}, "Log no warnings, only errors", core::LogLevel::error));
  options.push_back(log_flag({"-i", "--i", "--info"}, "Log what is done", core::LogLevel::info));
  options.push_back({{"--check-method-support"},
                     "METHOD",
                     false,
                     "Only say whether every op of the method has a converter; exit code 0 or 1",
                     [](Arguments& a, const auto&, const auto& value) { a.check_method = value; }});
  options.push_back(flag({"--save-engine"},
                         "Write the method as one engine's bytes instead of a module",
                         [](Arguments& a) { a.save_engine = true; }));
  options.push_back(flag({"--embed-engine"},
                         "The input is an engine's bytes; write a module that runs it",
                         [](Arguments& a) { a.embed_engine = true; }));
  options.push_back({{"--report"},
                     "text|json",
                     true,
                     "Print what became of every op; default text",
                     [](Arguments& a, const auto& name, const auto& value) {
                       a.report = report_form(name, value);
                     }});
  options.push_back(
      {{"--atol"},
       "X",
       false,
       "Largest absolute difference from PyTorch; default 1e-8",
       [](Arguments& a, const auto& name, const auto& value) { a.atol = tolerance(name, value); }});
  options.push_back(
      {{"--rtol"},
       "X",
       false,
       "The same relative to the output's largest element; default 1e-5",
       [](Arguments& a, const auto& name, const auto& value) { a.rtol = tolerance(name, value); }});
  options.push_back(flag({"--no-threshold-check"}, "Do not compare results with PyTorch's",
                         [](Arguments& a) { a.threshold_check = false; }));
  options.push_back({{"--custom-torch-ops"},
                     "LIBRARY",
                     false,
                     "Load a library with PyTorch ops that the model uses (repeat)",
                     [](Arguments& a, const auto&, const auto& v) { a.torch_ops.push_back(v); },
                     /*repeats=*/true});
  options.push_back({{"--custom-converters"},
                     "LIBRARY",
                     false,
                     "Load a library that registers converters (repeat)",
                     [](Arguments& a, const auto&, const auto& v) { a.converters.push_back(v); },
                     /*repeats=*/true});
  return options;
}

std::vector<Option> setting_options() {
  std::vector<Option> options;
  for (const core::SettingInfo& info : core::setting_table()) {
    options.push_back(setting_option(info));
  }
  return options;
}

std::vector<Option> all_options() {
  std::vector<Option> options = own_options();
  for (Option& option : setting_options()) options.push_back(std::move(option));
  return options;
}

// ---- parsing ----

const Option& find_option(const std::vector<Option>& options, const std::string& name) {
  core::Strings names;
  for (const Option& option : options) {
    if (std::ranges::find(option.names, name) != option.names.end()) return option;
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  if (name == "--calibration-cache-file") {
    throw UsageError(text(name,
                          ": calibration caches are no longer used; quantize the model "
                          "before it is compiled and enable precision i8"));
  }
  const std::string nearest = core::nearest_name(name, names);
  throw UsageError(
      text("unknown flag '", name, "'",
           nearest.empty() ? "; -h lists all" : text("; did you mean '", nearest, "'?")));
}

/// A number may begin with a minus.
bool is_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && !('0' <= word[1] && word[1] <= '9');
}

/// At most one thing is asked for, and nothing that it would not look at.
void check_mode(const Arguments& arguments) {
  core::Strings modes;
  if (!arguments.check_method.empty()) modes.push_back("--check-method-support");
  if (arguments.save_engine) modes.push_back("--save-engine");
  if (arguments.embed_engine) modes.push_back("--embed-engine");
  if (modes.size() > 1) throw UsageError(text("only one of ", core::join(modes)));
  const bool tolerances = arguments.atol || arguments.rtol;
  if (tolerances && !arguments.threshold_check) {
    throw UsageError("only one of --no-threshold-check and --atol or --rtol");
  }
  if (modes.empty()) return;
  const std::string_view useless = arguments.report != ReportForm::none ? "--report"
                                   : tolerances                         ? "--atol and --rtol"
                                   : arguments.threshold_check          ? ""
                                                                        : "--no-threshold-check";
  if (useless.empty()) return;
  throw UsageError(text(modes[0], " compiles no module: ", useless, " cannot be used with it"));
}

/// The index of a device means that device, whether or not its type is given.
void choose_device(core::Settings& settings, bool gpu_given, bool dla_given) {
  const auto need = [&](std::string_view flag, std::string_view type, bool fits) {
    if (settings.device_type == "auto") settings.device_type = type;
    if (fits || settings.device_type == type) return;
    throw UsageError(
        text(flag, " is for device type ", type, ", got --device-type=", settings.device_type));
  };
  if (dla_given) need("--dla-core", "dla", false);
  if (gpu_given) need("--gpu-id", "gpu", settings.device_type == "dla");
}

void print(std::string& out, const std::vector<Option>& options) {
  for (const Option& option : options) {
    std::string names = core::join(option.names);
    if (option.optional_value) {
      names += text("[=", option.value, ']');
    } else if (!option.value.empty()) {
      names += text('=', option.value);
    }
    out += text("  ", names, "\n        ", option.doc, '\n');
  }
}

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& words) {
  const std::vector<Option> options = all_options();
  Arguments arguments;
  bool flags_ended = false;
  std::map<const Option*, std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (flags_ended || !is_flag(word)) {
      arguments.positional.push_back(word);
      continue;
    }
    if (word == "--") {
      flags_ended = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option& option = find_option(options, name);
    std::string value;
    if (equals != std::string::npos) {
      if (option.value.empty()) throw UsageError(text(name, " takes no value, got '", word, "'"));
      value = word.substr(equals + 1);
    } else if (!option.value.empty() && !option.optional_value) {
      if (i + 1 < words.size() && !is_flag(words[i + 1])) value = words[++i];
    }
    const bool may_be_empty = option.optional_value && equals == std::string::npos;
    if (value.empty() && !option.value.empty() && !may_be_empty) {
      throw UsageError(text(name, " needs a value: ", name, '=', option.value));
    }
    if (const auto [before, first] = given.emplace(&option, word); !first && !option.repeats) {
      throw UsageError(text("given twice: '", before->second, "' and '", word, "'"));
    }
    option.apply(arguments, name, value);
  }
  const auto is_given = [&](std::string_view name) {
    return std::ranges::any_of(given, [&](const auto& entry) {
      return std::ranges::find(entry.first->names, name) != entry.first->names.end();
    });
  };
  choose_device(arguments.settings, is_given("--gpu-id"), is_given("--dla-core"));
  check_mode(arguments);
  return arguments;
}

std::string changed_settings(const core::Settings& settings) {
  core::Strings lines;
  for (const core::SettingInfo& info : core::setting_table()) {
    const core::SettingValue value = core::get_setting(settings, info.name);
    if (value == core::get_setting(core::Settings(), info.name)) continue;
    std::string shown;
    if (const auto* list = std::get_if<core::Strings>(&value)) {
      shown = core::join(*list, ",");
    } else if (const auto* word = std::get_if<std::string>(&value)) {
      shown = *word;
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      shown = text(*whole);
    } else {
      shown = std::get<bool>(value) ? "true" : "false";
    }
    lines.push_back(text(info.name, '=', shown));
  }
  return core::join(lines, " ");
}

std::string help_text() {
  std::string out = R"(torchtrtc: compiles a TorchScript module for an inference engine

Usage: torchtrtc [flags] INPUT OUTPUT SPEC...
       torchtrtc [flags] --check-method-support=METHOD INPUT
       torchtrtc [flags] --save-engine INPUT OUTPUT SPEC...
       torchtrtc [flags] --embed-engine ENGINE OUTPUT
       torchtrtc inspect|verify|diff|strip|cache|info ...   (each explains itself with -h)

INPUT is a file of torch.jit.save. OUTPUT is loaded by torch.jit.load wherever libtorchtrt_runtime.so
is loaded. One SPEC for each argument of the module's forward:

  SPEC    shape[@dtype][%format]
  shape   (1,3,224,224), or [(1,3,224,224);(8,3,224,224);(32,3,224,224)]: smallest, usual, largest
  dtype   float float32 f32 fp32 | half float16 f16 fp16 | bfloat16 bf16 | double float64 f64 fp64 |
          char int8 i8 | byte uint8 u8 | int int32 i32 | long int64 i64 | bool b
          left out: the dtype of the first weight that meets the input, else f32
  format  linear nchw chw contiguous | nhwc hwc channels_last

The compiled module's results are compared with PyTorch's on random inputs, where engines compute in
f32. A difference larger than atol + rtol * (largest element) is a warning, and an error where --atol
or --rtol is given.

Exit codes: 0 done
            1 a file cannot be read or written, or the model or an engine is at fault
            2 the command line is wrong
            3 OUTPUT is written, but its results differ from PyTorch's by more than --atol and
              --rtol allow
            128 + N ended by signal N: 130 by Ctrl-C
Whatever the exit code, OUTPUT is the old file or a whole new one.

Flags (--flag=value or --flag value; -- ends them):
)";
  print(out, own_options());
  out += "\nSettings:\n";
  print(out, setting_options());
  return out;
}

}  // namespace torch_tensorrt::cli
