#include "compiler/driver.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "compiler/assembly/stitch.h"
#include "compiler/assembly/torchscript.h"
#include "compiler/capture/observe.h"
#include "compiler/capture/signature.h"
#include "compiler/capture/torchscript.h"
#include "compiler/conversion/convert.h"
#include "compiler/conversion/precision.h"
#include "compiler/lowering/passes.h"
#include "compiler/lowering/truncate.h"
#include "compiler/partitioning/partition.h"
#include "core/artifact.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/log.h"
#include "core/version.h"
#include "runtime/engine.h"
#include "runtime/types.h"

namespace torch_tensorrt::compiler {
namespace {

core::EngineDevice device_of(const torch::jit::Module& module, const core::Settings& settings) {
  if (settings.device_type == "gpu" || settings.device_type == "dla")
    return {core::DeviceKind::cuda, static_cast<int>(settings.gpu_id)};
  if (settings.device_type == "cpu") return {};
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.is_cuda()) return {core::DeviceKind::cuda, parameter.device().index()};
  }
  return {};
}

/// Plans for GPUs that are not here, from a graph that also runs on the engine that is.
class AheadOfTime final : public core::EnginePlugin {
 public:
  AheadOfTime(const core::EnginePlugin& builder, const core::EnginePlugin& local)
      : builder_(builder), local_(local) {}
  std::string_view name() const noexcept override { return builder_.name(); }
  core::Availability available() const noexcept override { return builder_.available(); }
  std::string version() const override { return builder_.version(); }
  std::string device_key(core::EngineDevice device) const override {
    return builder_.device_key(device);
  }
  bool runs_on(core::DeviceKind kind) const noexcept override { return builder_.runs_on(kind); }
  void check(const core::BuildOptions& options) const override { builder_.check(options); }
  bool fits(const core::Plan& plan, core::EngineDevice device) const override {
    return builder_.fits(plan, device);
  }
  core::Support supports(const core::Network& network, const core::Node& node) const override {
    const core::Support built = builder_.supports(network, node);
    return built.yes ? local_.supports(network, node) : built;
  }
  core::Plan build(const core::Network& network, const core::BuildOptions& options) const override {
    return builder_.build(network, options);
  }
  std::unique_ptr<core::Executable> load(const core::Plan& plan, const core::Network* network,
                                         const core::BuildOptions& options) const override {
    return builder_.load(plan, network, options);
  }

 private:
  const core::EnginePlugin &builder_, &local_;
};

const core::EnginePlugin& available_plugin(const std::string& name) {
  const core::EnginePlugin& plugin = core::engine_plugin(name);
  if (const auto available = plugin.available(); !available.yes)
    throw core::unavailable("[engine] ", name, " is not available here: ", available.reason);
  return plugin;
}

const core::EnginePlugin& choose_plugin(const core::Settings& settings, core::DeviceKind device) {
  if (settings.dryrun) {
    // What is only asked about need not be installed: the reference engine takes every layer.
    const std::string wanted = settings.engine == "auto" ? "openvino" : settings.engine;
    const core::EnginePlugin* plugin = core::find_engine_plugin(wanted);
    if (plugin && plugin->available().yes && plugin->runs_on(device)) return *plugin;
    core::log_info("[engine] ", wanted,
                   " cannot run here, so this dry run does not know what it refuses");
    return core::engine_plugin("reference");
  }
  if (settings.engine == "auto") return core::auto_engine_plugin(device);
  const core::EnginePlugin& plugin = available_plugin(settings.engine);
  if (!plugin.runs_on(device)) {
    throw core::invalid_argument("[engine] ", settings.engine, " does not run on ",
                                 device == core::DeviceKind::cuda ? "CUDA" : "the CPU",
                                 ", where the model is");
  }
  return plugin;
}

/// Null where the engine is built for this machine.
std::unique_ptr<AheadOfTime> ahead_of_time(const core::Settings& settings,
                                           core::DeviceKind device) {
  if (settings.target.empty() || settings.dryrun) return nullptr;
  if (settings.engine == "auto") {
    throw core::invalid_argument(
        "[engine] target says which GPUs to build for ahead of time, but engine is 'auto', "
        "expected "
        "the engine to build with, such as 'tensorrt_rtx'");
  }
  return std::make_unique<AheadOfTime>(available_plugin(settings.engine),
                                       core::auto_engine_plugin(device));
}

core::TensorRtOptions tensorrt_options(const core::Settings& settings) {
  core::TensorRtOptions options;
  options.sparse_weights = settings.sparse_weights;
  options.refit = settings.refit;
  options.refit_identical = settings.refit_identical_engine_weights;
  options.version_compatible = settings.version_compatible;
  options.hardware_compatible = settings.hardware_compatible;
  options.strip_weights = settings.strip_engine_weights;
  options.weight_streaming = settings.enable_weight_streaming;
  options.average_timing_iterations = static_cast<int>(settings.num_avg_timing_iters);
  options.max_aux_streams = static_cast<int>(settings.max_aux_streams);
  options.tiling_optimization_level = settings.tiling_optimization_level;
  options.l2_limit_for_tiling = settings.l2_limit_for_tiling;
  options.timing_cache_path = settings.timing_cache_path;
  return options;
}

/// One compilation, from a lowered Graph to the stitched one.
class Compilation {
 public:
  Compilation(Graph& graph, const core::Settings& settings, core::EngineDevice device)
      : graph_(graph),
        settings_(settings),
        ahead_(ahead_of_time(settings, device.kind)),
        plugin_(ahead_ ? *ahead_ : choose_plugin(settings, device.kind)),
        load_(runtime::default_load_options(device)) {
    if (!settings.portable) {
      throw core::unsupported("[engine] portable is False, but ", plugin_.name(),
                              " builds its engines from the Network ",
                              "that the artifact carries; leave portable at True");
    }
    // Plans for other machines: here it runs on what there is.
    load_.engine = ahead_ ? "auto" : std::string(plugin_.name());
    if (settings.num_threads > 0) load_.build.num_threads = static_cast<int>(settings.num_threads);
    load_.build.allow_tf32 = !settings.disable_tf32;
    load_.build.workspace_size = settings.workspace_size;
    load_.build.optimization_level = static_cast<int>(settings.optimization_level);
    load_.build.tensorrt = tensorrt_options(settings);
    if (!settings.cache_built_engines) load_.build.cache_dir.clear();
    if (settings.cache_built_engines && !settings.engine_cache_dir.empty())
      load_.build.cache_dir = settings.engine_cache_dir;
    if (!settings.dryrun) {
      for (const core::BuildOptions& options : build_options()) plugin_.check(options);
    }
  }

  Report run() {
    decisions_ = decide(graph_, settings_, plugin_);
    for (Node* node : all_nodes(graph_.body())) entries_.push_back(entry_of(*node));
    for (std::size_t i = 0; const Node* node : all_nodes(graph_.body())) index_[node] = i++;
    compile_block(graph_.body());
    copy_constant_results(graph_, graph_.body());
    graph_.remove_dead();
    graph_.verify();
    report_.nodes = std::move(entries_);
    return std::move(report_);
  }

 private:
  NodeReport entry_of(const Node& node) const {
    NodeReport entry;
    entry.op = node.name();
    entry.origin = node.origin;
    entry.host = is_host(node) || is_host_control(node) || node.kind == c10::prim::ListUnpack ||
                 (node.kind == c10::prim::RaiseException && node.owner->owner &&
                  is_host_control(*node.owner->owner));
    return entry;
  }

  void compile_block(Block& block) {
    std::vector<Node*> nodes;
    for (auto& node : block.nodes) nodes.push_back(node.get());
    for (Node* node : nodes) {
      for (auto& inner : node->blocks) compile_block(*inner);
    }
    std::vector<BuiltSegment> built;
    for (bool done = false; !done;) {
      built.clear();
      done = build_all(partition(block, settings_, decisions_), built);
    }
    for (Node* node : nodes) {
      const auto decision = decisions_.find(node);
      if (decision == decisions_.end() || decision->second.yes) continue;
      NodeReport& entry = entries_[index_.at(node)];
      entry.code = decision->second.code;
      entry.reason = decision->second.reason;
    }
    for (const BuiltSegment& segment : built) publish(segment);
    if (!settings_.dryrun) stitch(graph_, block, std::move(built));
  }

  /// False: a segment failed and its nodes were given back to PyTorch, so the partition changes.
  bool build_all(std::vector<Segment> segments, std::vector<BuiltSegment>& built) {
    for (Segment& segment : segments) {
      if (segment.outputs.empty()) {
        for (const Node* node : segment.nodes)
          decisions_[node] = {false, "unused", "nothing reads its results"};
        return false;
      }
      try {
        built.push_back(build(segment));
      } catch (const std::exception& error) {
        if (settings_.require_full_compilation || settings_.pass_through_build_failures) throw;
        core::log_warning("[engine] a group of ", segment.nodes.size(),
                          " ops stays in PyTorch: ", error.what());
        for (const Node* node : segment.nodes)
          decisions_[node] = {false, "build_failed", error.what()};
        return false;
      }
    }
    return true;
  }

  /// One for each plan.
  std::vector<core::BuildOptions> build_options() const {
    if (!ahead_) return {load_.build};
    std::vector<core::BuildOptions> all;
    for (const std::string& target : settings_.target)
      all.emplace_back(load_.build).target = target;
    return all;
  }

  BuiltSegment build(const Segment& segment) {
    ConvertedSegment converted = convert(segment.nodes, segment.outputs);
    for (const core::DType reduced : {core::DType::bf16, core::DType::f16}) {
      if (!settings_.enabled_precisions.count(reduced)) continue;
      converted.network = with_reduced_precision(converted.network, reduced, plugin_);
      break;
    }
    const core::Network& network = converted.network;
    core::Artifact artifact;
    artifact.name = "engine_" + std::to_string(report_.engines.size() + serial_++);
    artifact.producer = std::string("torch_tensorrt ") + core::kVersion;
    artifact.preferred_engine = plugin_.name();
    artifact.alternates = leaves_ops();
    for (std::size_t i = 0; i < network.inputs().size(); ++i) {
      artifact.inputs.push_back(
          {network.input_name(i), network.type(network.inputs()[i]), network.input_is_host(i)});
    }
    for (std::size_t i = 0; i < network.outputs().size(); ++i) {
      artifact.outputs.push_back(
          {network.output_names()[i], network.type(network.outputs()[i]), false});
    }
    if (!settings_.dryrun) {
      for (const core::BuildOptions& options : build_options())
        artifact.plans.push_back(plugin_.build(network, options));
    }
    BuiltSegment built{segment, std::move(converted.inputs), describe(artifact, network), {}};
    artifact.network = std::move(converted.network);
    if (!settings_.dryrun)
      built.engine = c10::make_intrusive<runtime::Engine>(std::move(artifact), load_);
    return built;
  }

  /// Do some that compute stay in PyTorch?
  bool leaves_ops() const {
    return std::any_of(decisions_.begin(), decisions_.end(), [this](const auto& decision) {
      return !decision.second.yes && !entries_[index_.at(decision.first)].host;
    });
  }

  EngineReport describe(const core::Artifact& artifact, const core::Network& network) const {
    EngineReport entry{artifact.name,
                       std::string(plugin_.name()),
                       plugin_.available().yes ? plugin_.version() : "",
                       network.layer_count(),
                       {},
                       {},
                       network.to_text()};
    for (const auto& io : artifact.inputs)
      entry.inputs.push_back(io.name + ": " + core::to_text(io.type));
    for (const auto& io : artifact.outputs)
      entry.outputs.push_back(io.name + ": " + core::to_text(io.type));
    return entry;
  }

  void publish(const BuiltSegment& segment) {
    for (const Node* node : segment.segment.nodes)
      entries_[index_.at(node)].engine = static_cast<int>(report_.engines.size());
    report_.engines.push_back(segment.report);
  }

  Graph& graph_;
  const core::Settings& settings_;
  std::unique_ptr<AheadOfTime> ahead_;
  const core::EnginePlugin& plugin_;
  runtime::LoadOptions load_;
  Decisions decisions_;
  std::vector<NodeReport> entries_;
  std::unordered_map<const Node*, std::size_t> index_;
  Report report_;
  std::size_t serial_ = 0;
};

/// "1 engine", "2 engines".
std::string counted(std::size_t count, std::string_view noun) {
  return core::text(count, ' ', noun, count == 1 ? "" : "s");
}

/// Error(unsupported) that lists what kept the model from being one engine.
void require_full(const Report& report) {
  std::set<std::string> left;
  for (const NodeReport& node : report.nodes) {
    if (node.host || node.engine >= 0) continue;
    const std::string place = core::text(node.op, " at ", where(node.origin), ": ");
    const std::string stated = "[conversion] " + place;
    const bool twice = node.reason.starts_with(stated);
    left.insert("  " + place + (twice ? node.reason.substr(stated.size()) : node.reason));
  }
  // None at all: the model gives back what it is given.
  if (left.empty() && report.engines.size() <= 1) return;
  throw core::unsupported("[partitioning] require_full_compilation is set, but the model becomes ",
                          counted(report.engines.size(), "engine"), " with ",
                          counted(left.size(), "kind"), " of ops in PyTorch:\n",
                          core::join(left, "\n"));
}

void log_summary(const Report& report) {
  const std::string summary = report.summary();
  core::log_info(summary);
  if (report.engines.empty()) core::log_warning("nothing was compiled: ", summary);
}

struct Compiled {
  Captured captured;
  Report report;
};

void lower(Graph& graph, const std::vector<Probe>& probes, std::size_t required,
           const core::Settings& settings, const std::vector<std::size_t>& fixed = {}) {
  lower(graph, probes, required, fixed);
  if (!settings.truncate_long_and_double) return;
  truncate_doubles(graph);
  lower(graph, probes, required, fixed);
}

Compiled run(const torch::jit::Module& module, const Signature& inputs,
             const core::Settings& settings, const std::string& method) {
  const core::EngineDevice device = device_of(module, settings);
  Compiled compiled{capture_torchscript(module, method), {}};
  const Probes probes = make_probes(compiled.captured, inputs, method);
  Graph& graph = *compiled.captured.graph;
  lower(graph, probes.probes, probes.required, settings, probes.defaulted);
  if (has_unknown_work(graph) &&
      observe(compiled.captured, probes.probes, runtime::device_of(device))) {
    lower(graph, probes.probes, probes.required, settings, probes.defaulted);
  }
  check_defaults(compiled.captured, probes, method);
  compiled.report = Compilation(graph, settings, device).run();
  if (settings.require_full_compilation) require_full(compiled.report);
  return compiled;
}

}  // namespace

CompileResult compile(const torch::jit::Module& module, const Signature& inputs,
                      const core::Settings& settings, const std::string& method) {
  Compiled compiled = run(module, inputs, settings, method);
  log_summary(compiled.report);
  torch::jit::Module result =
      emit_torchscript(*compiled.captured.graph, compiled.captured.module, method);
  result.register_attribute("_torchtrt_report", c10::StringType::get(), compiled.report.to_json());
  return {std::move(result), std::move(compiled.report)};
}

namespace {

void add_self(const Program& program, Probe& probe) {
  probe.insert(probe.begin(), c10::IValue(program.module()._ivalue()));
}

}  // namespace

bool runs_at(Program& program, Probe usual, Probe other) {
  add_self(program, usual);
  add_self(program, other);
  return runs_at(program.graph(), usual, other);
}

Report compile(Program& program, std::vector<Probe> probes, std::size_t required,
               const core::Settings& settings) {
  for (Probe& probe : probes) add_self(program, probe);
  lower(program.graph(), probes, required, settings);
  Report report =
      Compilation(program.graph(), settings, device_of(program.module(), settings)).run();
  if (settings.require_full_compilation) require_full(report);
  log_summary(report);
  return report;
}

std::vector<std::byte> convert_method_to_engine(const torch::jit::Module& module,
                                                const Signature& inputs,
                                                const core::Settings& settings,
                                                const std::string& method) {
  core::Settings full = settings;
  full.require_full_compilation = true;
  const Compiled compiled = run(module, inputs, full, method);
  for (const auto& node : compiled.captured.graph->body().nodes) {
    if (std::string(node->kind.toQualString()) != "tensorrt::execute_engine") continue;
    return node->args[1].constant()->toCustomClass<runtime::Engine>()->artifact().to_bytes();
  }
  throw core::unsupported("[assembly] ", method, " computes nothing that an engine could run");
}

std::vector<std::string> unsupported_ops(const torch::jit::Module& module,
                                         const std::string& method) {
  const Captured captured = capture_torchscript(module, method);
  std::set<std::string> missing;
  for (Node* node : all_nodes(captured.graph->body())) {
    if (is_host(*node) || !node->blocks.empty() || find_converter(*node).convert) continue;
    missing.insert(node->name());
  }
  return {missing.begin(), missing.end()};
}

torch::jit::Module embed_engine(const std::vector<std::byte>& artifact,
                                const core::Settings& settings) {
  runtime::LoadOptions options =
      runtime::default_load_options(device_of(torch::jit::Module("none"), settings));
  if (settings.engine != "auto") options.engine = settings.engine;
  auto engine = c10::make_intrusive<runtime::Engine>(
      core::Artifact::from_bytes(core::Blob::of(artifact)), options);
  torch::jit::Module module("torch_tensorrt.Embedded");
  Graph graph;
  graph.add_input(graph.body(), module.type(), "self");
  Argument::List inputs;
  std::vector<c10::Argument> arguments = {c10::Argument("self", module.type())};
  for (const core::IoEntry& io : engine->artifact().inputs) {
    inputs.emplace_back(graph.add_input(graph.body(), c10::TensorType::get(), io.name));
    arguments.emplace_back(io.name, c10::TensorType::get());
  }
  Node* execute =
      graph.append(graph.body(), c10::Symbol::fromQualString("tensorrt::execute_engine"),
                   {std::move(inputs), c10::IValue(engine)});
  std::vector<Argument> outputs;
  std::vector<c10::TypePtr> types;
  for (const core::IoEntry& io : engine->artifact().outputs) {
    outputs.emplace_back(graph.add_output(execute, c10::TensorType::get(), io.name));
    types.push_back(c10::TensorType::get());
  }
  c10::TypePtr result = c10::TensorType::get();
  if (outputs.size() == 1) {
    graph.body().outputs = outputs;
  } else {
    result = c10::TupleType::create(types);
    Node* tuple = graph.append(graph.body(), c10::prim::TupleConstruct, outputs);
    graph.body().outputs = {graph.add_output(tuple, result)};
  }
  add_method(module, graph,
             c10::FunctionSchema("forward", "", std::move(arguments), {c10::Argument("", result)}));
  return module;
}

}  // namespace torch_tensorrt::compiler
