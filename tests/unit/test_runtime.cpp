// torch.classes.tensorrt.Engine over hand-made Networks, on the reference engine.

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <sys/wait.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/script.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>

#include "core/builder.h"
#include "core/engine_cache.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/version.h"
#include "harness.h"
#include "runtime/engine.h"

namespace torch_tensorrt::runtime {
namespace {

using core::DType;
using core::Extent;
using core::TensorType;

LoadOptions options_of(const std::string& engine) {
  LoadOptions options;
  options.engine = engine;
  options.build.num_threads = 1;
  return options;
}

const core::EnginePlugin& reference() {
  const core::EnginePlugin* plugin = core::find_engine_plugin("reference");
  if (!plugin) SKIP("the reference engine is not built");
  return *plugin;
}

core::Artifact artifact_of(core::Network network, const std::string& name) {
  core::Artifact artifact;
  artifact.name = name;
  artifact.producer = std::string("torch_tensorrt ") + core::kVersion;
  artifact.preferred_engine = "reference";
  for (std::size_t i = 0; i < network.inputs().size(); ++i) {
    artifact.inputs.push_back(
        {network.input_name(i), network.type(network.inputs()[i]), network.input_is_host(i)});
  }
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    artifact.outputs.push_back(
        {network.output_names()[i], network.type(network.outputs()[i]), false});
  }
  artifact.plans.push_back(reference().build(network, {}));
  artifact.network = std::move(network);
  return artifact;
}

/// y = relu(x) + t, for x: f32[1..4..8, 3] and t: f32[3].
core::Artifact relu_add() {
  core::Network network;
  core::NetworkBuilder net(network);
  const auto x = net.input("x", TensorType{DType::f32, {Extent::range(1, 4, 8), 3}});
  const auto t = net.input("t", TensorType{DType::f32, {3}});
  const auto y = net.activation(core::ActivationOp::relu, x) + net.align_rank(t, 2);
  network.mark_output(y.id(), "y");
  return artifact_of(std::move(network), "forward_engine_0");
}

/// y = x reshaped to [rows, -1]: x f32[0..6..12], rows a host scalar.
core::Artifact reshape_by_host() {
  core::Network network;
  core::NetworkBuilder net(network);
  const auto x = net.input("x", TensorType{DType::f32, {Extent::range(0, 6, 12)}});
  const auto rows = net.input("rows", TensorType{DType::i64, {}}, true);
  const auto columns = net.floor_div(net.size(x, 0), rows);
  network.mark_output(net.reshape(x, {rows, columns}).id(), "y");
  return artifact_of(std::move(network), "forward_engine_1");
}

c10::intrusive_ptr<Engine> engine_of(core::Artifact artifact) {
  return c10::make_intrusive<Engine>(std::move(artifact), options_of("reference"));
}

void check_close(const at::Tensor& got, const at::Tensor& expected) {
  CHECK(got.sizes() == expected.sizes());
  CHECK(at::allclose(got, expected));
}

TEST(engine_runs_every_size_of_its_range) {
  const auto engine = engine_of(relu_add());
  const at::Tensor t = at::randn({3});
  for (const std::int64_t rows : {1, 4, 8}) {
    const at::Tensor x = at::randn({rows, 3});
    check_close(engine->execute({x, t}).at(0), at::relu(x) + t);
  }
  CHECK_EQ(engine->plugin(), "reference");
  CHECK_EQ(engine->contexts_created(), 1U);
}

TEST(engine_takes_inputs_of_any_strides) {
  const auto engine = engine_of(relu_add());
  const at::Tensor x = at::randn({3, 4}).t(), t = at::randn({6}).slice(0, 0, 6, 2);
  check_close(engine->execute({x, t}).at(0), at::relu(x) + t);
  const at::Tensor grad = at::randn({4, 3}).requires_grad_();
  check_close(engine->execute({grad, t}).at(0), at::relu(grad) + t);
  const c10::InferenceMode inference;
  check_close(engine->execute({x, t}).at(0), at::relu(x) + t);
}

TEST(engine_refuses_inputs_that_do_not_fit) {
  const auto engine = engine_of(relu_add());
  const at::Tensor x = at::randn({4, 3}), t = at::randn({3});
  CHECK_THROWS(engine->execute({x}), "[runtime] engine forward_engine_0: got 1 inputs, expected 2");
  CHECK_THROWS(engine->execute({x, t.to(at::kInt)}),
               "[runtime] engine forward_engine_0: input 1 (t) has dtype int32, expected float32");
  CHECK_THROWS(engine->execute({at::randn({9, 3}), t}),
               "input 0 (x) has shape [9, 3], expected f32[1..4..8, 3] (min..opt..max");
  CHECK_THROWS(engine->execute({at::randn({3}), t}), "input 0 (x) has shape [3], expected");
  CHECK_THROWS(engine->execute({x.to_sparse(), t}), "is a sparse tensor");
  CHECK_THROWS(engine->execute({at::Tensor(), t}), "input 0 (x) is an undefined tensor");
  CHECK_THROWS(engine->execute({x.to(at::kMeta), t}), "input 0 (x) is on meta, expected cpu");
  CHECK(engine->accepts({x, t}));
  CHECK(!engine->accepts({x}));
  CHECK(!engine->accepts({t, x}));
}

TEST(engine_reads_host_inputs) {
  const auto engine = engine_of(reshape_by_host());
  const at::Tensor x = at::randn({6});
  check_close(engine->execute({x, at::scalar_tensor(2, at::kLong)}).at(0), x.reshape({2, 3}));
  check_close(engine->execute({x, at::scalar_tensor(3, at::kLong)}).at(0), x.reshape({3, 2}));
  const at::Tensor none = at::empty({0});
  check_close(engine->execute({none, at::scalar_tensor(2, at::kLong)}).at(0), none.reshape({2, 0}));
}

TEST(engine_takes_the_numbers_that_it_was_built_for) {
  core::Network network;
  core::NetworkBuilder net(network);
  const auto x = net.input("x", TensorType{DType::f32, {Extent::range(0, 6, 12)}});
  const auto rows = net.input("rows", TensorType{DType::i64, {}}, true, {Extent::range(1, 2, 3)});
  network.mark_output(net.reshape(x, {rows, net.floor_div(net.size(x, 0), rows)}).id(), "y");
  const auto engine = engine_of(artifact_of(std::move(network), "forward_engine_2"));
  const at::Tensor six = at::randn({6});
  check_close(engine->execute({six, at::scalar_tensor(3, at::kLong)}).at(0), six.reshape({3, 2}));
  CHECK(!engine->accepts({six, at::scalar_tensor(6, at::kLong)}));
  CHECK_THROWS(engine->execute({six, at::scalar_tensor(6, at::kLong)}),
               "input 1 (rows) is [6], expected numbers within i64[1..2..3]");
}

TEST(engine_infers_output_shapes_without_running) {
  const auto engine = engine_of(relu_add());
  const auto meta = [](at::IntArrayRef sizes) {
    return at::empty(sizes, at::TensorOptions(at::kFloat).device(at::kMeta));
  };
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto outputs = engine->infer_outputs({meta({5, 3}), meta({3})});
    CHECK(outputs.at(0).is_meta());
    CHECK(outputs.at(0).sizes() == at::IntArrayRef({5, 3}));
  }
  const auto by_host = engine_of(reshape_by_host());
  const auto outputs = by_host->infer_outputs({meta({6}), at::scalar_tensor(3, at::kLong)});
  CHECK(outputs.at(0).sizes() == at::IntArrayRef({3, 2}));
  const auto unknown = at::empty({}, at::TensorOptions(at::kLong).device(at::kMeta));
  CHECK_THROWS(by_host->infer_outputs({meta({6}), unknown}), "which depends on data");
}

/// forward(x, t) = execute_engine([x, t], self.engine)[0]
torch::jit::Module module_of(const c10::intrusive_ptr<Engine>& engine) {
  torch::jit::Module module("__torch__.Relu");
  const c10::IValue value(engine);
  module.register_attribute("engine", value.type(), value);
  auto graph = std::make_shared<torch::jit::Graph>();
  torch::jit::Value* self = graph->addInput("self")->setType(module.type());
  torch::jit::Value* x = graph->addInput("x");
  torch::jit::Value* t = graph->addInput("t");
  auto* inputs = graph->insertNode(graph->createList(c10::TensorType::get(), {x, t}))->output();
  auto* member = graph->insertNode(graph->createGetAttr(self, "engine"))->output();
  const auto op = c10::Symbol::fromQualString("tensorrt::execute_engine");
  auto* outputs = graph->insertNode(graph->create(op, {inputs, member}))->output();
  outputs->setType(c10::ListType::ofTensors());
  graph->registerOutput(graph->insertNode(graph->createListUnpack(outputs, 1))->output());
  const c10::QualifiedName name(*module.type()->name(), "forward");
  auto* forward = module._ivalue()->compilation_unit()->create_function(name, std::move(graph));
  module.type()->addMethod(forward);
  return module;
}

TEST(engine_of_a_module_survives_saving) {
  const auto engine = engine_of(relu_add());
  torch::jit::Module module = module_of(engine);
  std::stringstream file;
  module.save(file);
  torch::jit::Module loaded = torch::jit::load(file);
  const at::Tensor x = at::randn({4, 3}), t = at::randn({3});
  check_close(loaded.forward({x, t}).toTensor(), at::relu(x) + t);
  CHECK_THROWS(loaded.forward({t, t}), "input 0 (x) has shape [3], expected f32[1..4..8, 3]");
  const auto again = loaded.attr("engine").toCustomClass<Engine>();
  CHECK(at::equal(again->to_bytes(), engine->to_bytes()));
  CHECK(again->describe().find("input x: f32[1..4..8, 3]") != std::string::npos);
}

TEST(engine_bytes_must_be_an_artifact) {
  CHECK_THROWS(Engine::from_bytes(at::zeros({3})),
               "an engine is made from a uint8 tensor of one dimension, got float32[3]");
  CHECK_THROWS(Engine::from_bytes(at::zeros({300}, at::kByte)), "magic");
  at::Tensor bytes = engine_of(relu_add())->to_bytes().clone();
  bytes[bytes.numel() - 1].add_(1);
  CHECK_THROWS(Engine::from_bytes(bytes), "engine artifact: ");
}

TEST(engine_without_network_needs_a_plan_that_fits) {
  core::Artifact artifact = relu_add();
  artifact.network.reset();
  artifact.plans.at(0).version = "0.0.1";
  CHECK_THROWS(Engine(artifact, options_of("")),
               "no plan fits this machine, and the network to build one from was left out");
  CHECK_THROWS(Engine(artifact, options_of("")), "the artifact has reference 0.0.1 for");
  CHECK_THROWS(Engine(relu_add(), options_of("no_such_engine")),
               "libtorchtrt_engine_no_such_engine.so");
}

TEST(engine_is_built_again_where_no_plan_fits) {
  core::Artifact artifact = relu_add();
  artifact.plans.at(0).version = "0.0.1";
  const auto engine = engine_of(std::move(artifact));
  const at::Tensor x = at::randn({4, 3}), t = at::randn({3});
  check_close(engine->execute({x, t}).at(0), at::relu(x) + t);
}

TEST(engine_serves_threads_at_the_same_time) {
  const auto engine = engine_of(relu_add());
  std::atomic<int> wrong{0};
  const auto call = [&](int seed) {
    // An exception that leaves a thread ends the program.
    for (int i = 0; i < 200 && wrong == 0; ++i) try {
        const at::Tensor x = at::full({1 + (seed + i) % 8, 3}, seed - 2.0),
                         t = at::full({3}, i / 2.0);
        if (!at::equal(engine->execute({x, t}).at(0), at::relu(x) + t)) ++wrong;
      } catch (const std::exception&) {
        ++wrong;
      }
  };
  std::vector<std::thread> threads;
  for (int seed = 0; seed < 4; ++seed) threads.emplace_back(call, seed);
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
  CHECK(engine->contexts_created() <= 4);
}

/// PyTorch's memory, of which the k-th request from now on is refused.
class FailingAllocator final : public c10::Allocator {
 public:
  FailingAllocator() { c10::SetCPUAllocator(this, /*priority=*/255); }
  ~FailingAllocator() override { c10::SetCPUAllocator(&usual_, /*priority=*/255); }

  void fail_at(int request) { left_ = request; }
  at::DataPtr allocate(std::size_t bytes) override {
    if (left_-- == 0) throw std::bad_alloc();
    return usual_.allocate(bytes);
  }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    usual_.copy_data(to, from, bytes);
  }

 private:
  c10::Allocator& usual_ = *c10::GetCPUAllocator();
  std::atomic<int> left_{-1};
};

TEST(engine_survives_failed_allocations) {
  for (const std::string name : {"reference", "openvino"}) {
    if (!core::find_engine_plugin(name)) continue;
    core::Artifact artifact = relu_add();
    artifact.preferred_engine = name;
    Engine engine(std::move(artifact), options_of(name));
    const at::Tensor x = at::randn({3, 4}).t(), t = at::randn({3});
    const at::Tensor expected = at::relu(x) + t;
    FailingAllocator allocator;
    int failures = 0;
    for (bool failed = true; failed; failures += failed) {
      allocator.fail_at(failures);
      try {
        check_close(engine.execute({x, t}).at(0), expected);
        failed = false;
      } catch (const std::exception&) {
        allocator.fail_at(-1);
        check_close(engine.execute({x, t}).at(0), expected);
      }
    }
    // The row-major copy of x, and the result.
    CHECK(failures >= 2);
  }
}

TEST(engine_says_that_it_does_not_survive_a_fork) {
  const auto engine = engine_of(relu_add());
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      engine->execute({at::randn({4, 3}), at::randn({3})});
    } catch (const core::Error& error) {
      const bool told =
          std::string_view(error.what()).find("do not survive a fork") != std::string_view::npos;
      std::_Exit(told ? 42 : 1);
    }
    std::_Exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 42);
}

/// A file of the cache that is cut, changed, emptied or another.
void spoil(const std::filesystem::path& path, int kind) {
  std::vector<std::byte> bytes = core::read_file(path);
  if (kind % 4 == 0) bytes[static_cast<std::size_t>(kind) * 7919 % bytes.size()] ^= std::byte{4};
  if (kind % 4 == 1) bytes.resize(static_cast<std::size_t>(kind) * 7919 % bytes.size());
  if (kind % 4 == 2) bytes.clear();
  if (kind % 4 == 3) bytes.assign(5000, std::byte{7});
  core::write_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  });
}

/// Engines of tests/engines, beside this program.
void find_test_engines() {
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path() / "engines";
  ::setenv("TORCHTRT_ENGINE_PATH", folder.c_str(), 1);
}

TEST(an_artifact_runs_where_its_own_engine_is_here_but_cannot) {
  find_test_engines();
  core::Artifact artifact = relu_add();
  artifact.plans.clear();
  artifact.preferred_engine = "refusing";
  const core::LogLevel level = core::reportable_log_level();
  core::set_reportable_log_level(core::LogLevel::error);
  const auto engine = c10::make_intrusive<Engine>(artifact, options_of("auto"));
  core::set_reportable_log_level(level);
  const at::Tensor x = at::randn({4, 3}), t = at::randn({3});
  check_close(engine->execute({x, t}).at(0), at::relu(x) + t);
  CHECK(engine->plugin() == "openvino" || engine->plugin() == "reference");
  CHECK_THROWS(Engine(artifact, options_of("refusing")), "[engine] refusing builds nothing");
}

TEST(spoiled_cache_entries_are_compiled_again) {
  std::string reason;
  if (!core::find_engine_plugin("openvino", &reason)) SKIP(reason);
  std::string folder = std::filesystem::temp_directory_path() / "torchtrt-XXXXXX";
  CHECK(::mkdtemp(folder.data()) != nullptr);
  const core::LogLevel level = core::reportable_log_level();
  core::set_reportable_log_level(core::LogLevel::error);
  LoadOptions options = default_load_options({});
  options.build.cache_dir = folder;
  options.engine = "openvino";
  const core::EngineCache cache(folder);
  const at::Tensor x = at::randn({4, 3}), y = at::randn({3});
  const at::Tensor expected = at::relu(x) + y;
  const int count = harness::long_run() ? 1'000 : 40;
  int rebuilt = 0, wrong = 0;
  const auto run = [&] {
    Engine engine(relu_add(), options);
    wrong += !at::allclose(engine.execute({x, y})[0], expected);
    return cache.entries();
  };
  const auto entries = run();
  CHECK_EQ(entries.size(), 1);
  const std::filesystem::path path = folder + "/" + entries[0].key + ".engine";
  for (int i = 0; i < count; ++i) {
    spoil(path, i);
    run();
    rebuilt += cache.find(entries[0].key).has_value();
  }
  core::set_reportable_log_level(level);
  std::filesystem::remove_all(folder);
  CHECK_EQ(rebuilt, count);
  CHECK_EQ(wrong, 0);
}

TEST(no_flipped_bit_reaches_an_engine_through_torch) {
  std::vector<std::byte> bytes = relu_add().to_bytes();
  int accepted = 0;
  for (std::size_t i = 0; i < 2'000; ++i) {
    std::byte& byte = bytes[i * 7919 % bytes.size()];
    const auto bit = static_cast<std::byte>(1u << (i % 8));
    byte ^= bit;
    try {
      Engine::from_bytes(
          at::from_blob(bytes.data(), static_cast<std::int64_t>(bytes.size()), at::kByte));
      ++accepted;
    } catch (const core::Error&) {  // refused before any engine is asked
    }
    byte ^= bit;
  }
  CHECK_EQ(accepted, 0);
}

TEST(engines_that_are_only_looked_at_are_not_loaded) {
  const WithoutLoading only_looking;
  core::Artifact artifact = relu_add();
  artifact.preferred_engine = "none";
  artifact.plans = {{"none", "1", "nowhere", core::Blob::of({std::byte{1}})}};
  artifact.network.reset();
  Engine engine(artifact, {});
  CHECK_EQ(engine.to_bytes().numel(), artifact.to_bytes().size());
  CHECK_THROWS(engine.execute({}), "read without being loaded");
}

TEST(cache_folder_follows_the_environment) {
  const std::string folder = std::filesystem::temp_directory_path() / "torchtrt_cache_test";
  ::setenv("TORCHTRT_CACHE_DIR", folder.c_str(), 1);
  CHECK_EQ(user_cache_dir(), folder);
  const auto mode = std::filesystem::status(folder).permissions();
  CHECK((mode & std::filesystem::perms::all) == std::filesystem::perms::owner_all);
  ::setenv("TORCHTRT_CACHE_DIR", "/proc/none", 1);
  CHECK_EQ(user_cache_dir(), "");
  ::unsetenv("TORCHTRT_CACHE_DIR");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace torch_tensorrt::runtime
