// torchtrtc: the compiler as a program.

#include <dlfcn.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstdio>
#include <iostream>
#include <vector>

#include "cli/arguments.h"
#include "cli/compare.h"
#include "cli/file_tools.h"
#include "cli/input_spec.h"
#include "cli/modules.h"
#include "compiler/driver.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"

namespace torch_tensorrt::cli {
namespace {

void load_library(const std::string& path) {
  if (!::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    throw core::unavailable("cannot load the library '", path, "': ", ::dlerror());
  }
}

void need_positional(const Arguments& arguments, std::size_t least, std::size_t most,
                     std::string_view what) {
  const std::size_t count = arguments.positional.size();
  if (count >= least && count <= most) return;
  throw UsageError(core::text("expected ", what, ", got ", count,
                              count == 1 ? " argument" : " arguments", "; -h explains them"));
}

/// Input, output and more, where they are files.
void check_files(const Arguments& arguments) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (arguments.positional[i] != "-") continue;
    throw UsageError(core::text(i == 0 ? "INPUT" : "OUTPUT",
                                " is '-', expected a file: stdin and stdout cannot be used"));
  }
  check_output(arguments.positional[1]);
}

std::vector<compiler::InputSpec> input_specs(const Arguments& arguments) {
  std::vector<compiler::InputSpec> specs;
  for (std::size_t i = 2; i < arguments.positional.size(); ++i) {
    specs.push_back(parse_input_spec(arguments.positional[i]));
  }
  return specs;
}

compiler::Signature signature(const std::vector<compiler::InputSpec>& specs) {
  std::vector<compiler::Signature> leaves;
  for (const compiler::InputSpec& spec : specs) leaves.push_back(compiler::Signature::leaf(spec));
  return compiler::Signature::tuple(std::move(leaves));
}

/// Numbers and strings have no spec: they are given when the compiled module is called.
bool has_spec(const c10::TypePtr& type) {
  return !type->isSubtypeOf(*c10::NumberType::get()) && type->kind() != c10::TypeKind::BoolType &&
         type->kind() != c10::TypeKind::StringType;
}

/// A spec for each argument without a default, and none beyond the arguments.
void check_spec_count(const torch::jit::Module& module, std::size_t count) {
  const auto method = module.find_method("forward");
  if (!method) throw core::invalid_argument("the module has no method forward");
  const auto& parameters = method->function().getSchema().arguments();
  std::vector<std::string> names;
  std::size_t required = 0;
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    names.push_back(core::text(parameters[i].name(), ": ", parameters[i].type()->annotation_str()));
    if (!parameters[i].default_value() && has_spec(parameters[i].type())) required = i;
  }
  if (count >= required && count <= names.size()) return;
  throw UsageError(core::text("got ", count, " input specs, forward takes (", core::join(names),
                              "); give one for each, such as \"(1,3,224,224)@f32\""));
}

int check_support(const Arguments& arguments) {
  need_positional(arguments, 1, 1, "INPUT alone with --check-method-support");
  const auto ops =
      compiler::unsupported_ops(load_module(arguments.positional[0]), arguments.check_method);
  if (ops.empty()) {
    std::cout << "every op of " << arguments.check_method << " has a converter\n";
    return kDone;
  }
  std::cout << "ops of " << arguments.check_method << " without a converter:\n";
  for (const std::string& op : ops) std::cout << "  " << op << '\n';
  return kFailed;
}

int embed_engine(const Arguments& arguments) {
  need_positional(arguments, 2, 2, "ENGINE and OUTPUT with --embed-engine");
  check_files(arguments);
  const std::string& path = arguments.positional[0];
  try {
    save_module(arguments.positional[1],
                compiler::embed_engine(core::read_file(path), arguments.settings));
  } catch (const core::Error& error) {
    if (error.kind() != core::ErrorKind::incompatible) throw;
    throw core::incompatible("cannot embed '", path, "': ", error.what(),
                             "; expected a file of torchtrtc --save-engine");
  }
  return kDone;
}

int save_engine(const Arguments& arguments) {
  check_files(arguments);
  const auto specs = input_specs(arguments);
  const torch::jit::Module module = load_module(arguments.positional[0]);
  check_spec_count(module, specs.size());
  const auto bytes =
      compiler::convert_method_to_engine(module, signature(specs), arguments.settings);
  core::write_atomically(arguments.positional[1], [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  });
  return kDone;
}

void print_report(const Arguments& arguments, const compiler::Report& report) {
  switch (arguments.report) {
    case ReportForm::none:
      std::cout << report.summary() << '\n';
      return;
    case ReportForm::text:
      std::cout << report.to_text() << '\n';
      return;
    case ReportForm::json:
      std::cout << report.to_json() << '\n';
      return;
  }
}

/// Lower precisions differ by design, so they are compared only with tolerances meant for them.
/// Tolerances that were asked for must be met; those by default are only for a warning.
int compare_with_original(const Arguments& arguments, torch::jit::Module& original,
                          torch::jit::Module& compiled,
                          const std::vector<compiler::InputSpec>& specs) {
  const bool strict = arguments.atol || arguments.rtol;
  const bool only_f32 = arguments.settings.enabled_precisions.size() == 1;
  if (!arguments.threshold_check) return kDone;
  if (!strict && !only_f32) {
    core::log_info(
        "results are not compared with PyTorch's, as lower precisions differ; give --atol or "
        "--rtol to compare them");
    return kDone;
  }
  Tolerance tolerance;
  tolerance.atol = arguments.atol.value_or(tolerance.atol);
  tolerance.rtol = arguments.rtol.value_or(tolerance.rtol);
  const auto problems = compare(original, compiled, specs, tolerance);
  for (const std::string& problem : problems) {
    if (strict) {
      std::cerr << "torchtrtc: " << problem << '\n';
    } else {
      core::log_warning(problem);
    }
  }
  return strict && !problems.empty() ? kDiffers : kDone;
}

int compile(const Arguments& arguments) {
  check_files(arguments);
  const auto specs = input_specs(arguments);
  torch::jit::Module module = load_module(arguments.positional[0]);
  module.eval();
  check_spec_count(module, specs.size());
  compiler::CompileResult result = compiler::compile(module, signature(specs), arguments.settings);
  // Before the comparison, which may change state that the module keeps from call to call.
  save_module(arguments.positional[1], result.module);
  const int code = compare_with_original(arguments, module, result.module, specs);
  print_report(arguments, result.report);
  return code;
}

int run(const Arguments& arguments) {
  if (arguments.help) {
    std::cout << help_text();
    return kDone;
  }
  if (arguments.version) {
    std::cout << "torchtrtc " << TORCHTRT_VERSION << " (PyTorch " << TORCH_VERSION << ")\n";
    return kDone;
  }
  core::set_reportable_log_level(arguments.log_level);
  core::log_debug("settings: ", changed_settings(arguments.settings));
  for (const std::string& library : arguments.torch_ops) load_library(library);
  for (const std::string& library : arguments.converters) load_library(library);
  if (!arguments.check_method.empty()) return check_support(arguments);
  if (arguments.embed_engine) return embed_engine(arguments);
  need_positional(arguments, 2, static_cast<std::size_t>(-1), "INPUT, OUTPUT and input specs");
  return arguments.save_engine ? save_engine(arguments) : compile(arguments);
}

int guarded(const std::vector<std::string>& words) {
  try {
    const int code = is_file_tool(words) ? run_file_tool(words) : run(parse_arguments(words));
    if (!std::cout.flush()) throw core::invalid_argument("cannot write to stdout");
    return code;
  } catch (const UsageError& error) {
    std::cerr << "torchtrtc: " << error.what() << '\n';
    return kUsage;
  } catch (const c10::Error& error) {
    std::cerr << "torchtrtc: " << error.what_without_backtrace() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "torchtrtc: " << error.what() << '\n';
  }
  return kFailed;
}

}  // namespace
}  // namespace torch_tensorrt::cli

int main(int argc, char** argv) {
  return torch_tensorrt::cli::guarded(std::vector<std::string>(argv + 1, argv + argc));
}
