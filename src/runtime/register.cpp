// What loading libtorchtrt_runtime.so registers with PyTorch: torch.classes.tensorrt.Engine and
// torch.ops.tensorrt.execute_engine.

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <torch/custom_class.h>
#include <torch/library.h>

#include <fstream>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/engine.h"
#include "runtime/errors.h"
#include "runtime/types.h"

namespace torch_tensorrt::runtime {

void throw_for_torch(const core::Error& error) {
  const std::string message = error.what();
  switch (error.kind()) {
    case core::ErrorKind::invalid_argument:
      C10_THROW_ERROR(ValueError, message);
    case core::ErrorKind::unknown_setting:
      C10_THROW_ERROR(TypeError, message);
    case core::ErrorKind::unsupported:
      C10_THROW_ERROR(NotImplementedError, message);
    case core::ErrorKind::unavailable:
    case core::ErrorKind::incompatible:
    case core::ErrorKind::engine_failed:
    case core::ErrorKind::internal:
      break;
  }
  C10_THROW_ERROR(Error, message);
}

namespace {

using EnginePtr = c10::intrusive_ptr<Engine>;
using Tensors = std::vector<at::Tensor>;

Tensors execute(const Tensors& inputs, const EnginePtr& engine) {
  return translated([&] { return engine->execute(inputs); });
}

/// Lies in a container's tensor, and goes with it.
struct LoadedEngine : c10::BackendMeta {
  explicit LoadedEngine(EnginePtr loaded) : engine(std::move(loaded)) {}
  EnginePtr engine;
};

EnginePtr engine_of(const at::Tensor& container) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  at::TensorImpl* tensor = container.unsafeGetTensorImpl();
  if (auto* loaded = dynamic_cast<LoadedEngine*>(tensor->get_backend_meta())) return loaded->engine;
  // A tensor of its own over the same bytes: the engine must not keep the one that keeps it.
  EnginePtr engine = Engine::from_bytes(container.detach());
  tensor->set_backend_meta(c10::make_intrusive<LoadedEngine>(engine));
  return engine;
}

Tensors execute_container(const Tensors& inputs, const at::Tensor& container) {
  return translated([&] { return engine_of(container)->execute(inputs); });
}

Tensors execute_container_on_meta(const Tensors&, const at::Tensor&) {
  return translated([]() -> Tensors {
    throw core::invalid_argument(
        "[runtime] a compiled program with engines in its branches or loops is traced, but can "
        "only be called; trace the model itself, and save as torchscript or exported_program");
  });
}

bool accepts(const Tensors& inputs, const EnginePtr& engine) { return engine->accepts(inputs); }

/// A size that is a symbol becomes the number behind it: the engine's shapes are computed from
/// numbers.
at::Tensor with_known_sizes(const at::Tensor& tensor) {
  if (!tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) return tensor;
  std::vector<std::int64_t> sizes;
  for (const c10::SymInt& size : tensor.sym_sizes()) {
    sizes.push_back(size.guard_int(__FILE__, __LINE__));
  }
  return at::empty(sizes, at::TensorOptions(tensor.scalar_type()).device(at::kMeta));
}

Tensors execute_on_meta(const Tensors& inputs, const EnginePtr& engine) {
  return translated([&] {
    Tensors known;
    for (const at::Tensor& input : inputs) known.push_back(with_known_sizes(input));
    return engine->infer_outputs(known);
  });
}

/// Meta outputs for inputs of these sizes.
Tensors infer_outputs(const EnginePtr& engine,
                      const std::vector<std::vector<std::int64_t>>& shapes) {
  return translated([&] {
    const auto& entries = engine->artifact().inputs;
    if (shapes.size() != entries.size()) {
      throw core::invalid_argument("[runtime] engine ", engine->artifact().name, ": got ",
                                   shapes.size(), " input shapes, expected ", entries.size());
    }
    Tensors inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const auto options = at::TensorOptions(scalar_type(entries[i].type.dtype)).device(at::kMeta);
      inputs.push_back(at::empty(shapes[i], options));
    }
    return engine->infer_outputs(inputs);
  });
}

/// (value, address of its elements) of each constant.
std::vector<std::tuple<std::int64_t, std::int64_t>> weights(const EnginePtr& engine) {
  std::vector<std::tuple<std::int64_t, std::int64_t>> rows;
  for (const auto& [value, data] : engine->weights())
    rows.emplace_back(value, reinterpret_cast<std::int64_t>(data));
  return rows;
}

EnginePtr with_weights(const EnginePtr& engine, const std::vector<std::int64_t>& values,
                       const Tensors& tensors) {
  return translated([&] {
    if (values.size() != tensors.size()) {
      throw core::invalid_argument("[runtime] engine ", engine->artifact().name, ": got ",
                                   values.size(), " values and ", tensors.size(), " tensors");
    }
    std::vector<std::pair<core::ValueId, at::Tensor>> weights;
    for (std::size_t i = 0; i < values.size(); ++i)
      weights.emplace_back(static_cast<core::ValueId>(values[i]), tensors[i]);
    return engine->with_weights(weights);
  });
}

std::string layer_info(const EnginePtr& engine) {
  return translated([&] {
    if (!engine->artifact().network) {
      throw core::unsupported("[runtime] engine ", engine->artifact().name,
                              " has no network to show: it was compiled with portable=False");
    }
    return engine->artifact().network->to_text();
  });
}

void dump_layer_info(const EnginePtr& engine, const std::string& path) {
  translated([&] {
    std::ofstream file(path);
    file << layer_info(engine) << '\n';
    file.close();
    if (!file) throw core::invalid_argument("[runtime] cannot write ", path);
  });
}

std::string repr(const EnginePtr& engine) {
  return "<tensorrt.Engine " + engine->artifact().name + " on " + engine->plugin() + '>';
}

std::vector<std::string> names_of(const std::vector<core::IoEntry>& entries) {
  std::vector<std::string> names;
  for (const core::IoEntry& entry : entries) names.push_back(entry.name);
  return names;
}

using State = std::tuple<std::tuple<std::string, at::Tensor>>;

}  // namespace

TORCH_LIBRARY(tensorrt, library) {
  library.class_<Engine>("Engine")
      .def(torch::init([](const at::Tensor& bytes) {
        return translated([&] { return Engine::from_bytes(bytes); });
      }))
      .def("name", [](const EnginePtr& self) { return self->artifact().name; })
      .def("input_names", [](const EnginePtr& self) { return names_of(self->artifact().inputs); })
      .def("output_names", [](const EnginePtr& self) { return names_of(self->artifact().outputs); })
      .def("plugin", [](const EnginePtr& self) { return self->plugin(); })
      .def("describe", [](const EnginePtr& self) { return self->describe(); })
      .def("__str__", [](const EnginePtr& self) { return self->describe(); })
      .def("__repr__", &repr)
      // FakeTensor's cache compares the arguments of ops.
      .def("__eq__", [](const EnginePtr& self, const EnginePtr& other) { return self == other; })
      .def("get_engine_layer_info", &layer_info)
      .def("dump_engine_layer_info_to_file", &dump_layer_info)
      .def("infer_outputs", &infer_outputs)
      .def("weights", &weights)
      .def("with_weights", &with_weights)
      .def("serialized_engine_tensor", [](const EnginePtr& self) { return self->to_bytes(); })
      .def(
          "num_execution_contexts_created",
          [](const EnginePtr& self) { return static_cast<std::int64_t>(self->contexts_created()); })
      .def("reset_captured_graph", [](const EnginePtr& self) { self->drop_contexts(); })
      .def_property(
          "use_pre_allocated_outputs",
          [](const EnginePtr& self) { return self->pre_allocated_outputs(); },
          [](const EnginePtr& self, bool on) { self->set_pre_allocated_outputs(on); })
      .def_property(
          "device_memory_budget", [](const EnginePtr& self) { return self->weight_budget(); },
          [](const EnginePtr& self, std::int64_t bytes) {
            translated([&] { self->set_weight_budget(bytes); });
          })
      .def_property("streamable_device_memory_budget",
                    [](const EnginePtr& self) { return self->streamable_weights(); })
      .def_property("automatic_device_memory_budget",
                    [](const EnginePtr& self) { return self->automatic_weight_budget(); })
      // torch.export: the op has a meta kernel, so the engine itself can stand in for its fake.
      .def("tracing_mode", [](const EnginePtr&) { return std::string("real"); })
      .def("__obj_flatten__",
           [](const EnginePtr& self) { return State{{"bytes", self->to_bytes()}}; })
      .def_pickle([](const EnginePtr& self) { return self->to_bytes(); },
                  [](const at::Tensor& bytes) {
                    return translated([&] { return Engine::from_bytes(bytes); });
                  });

  library.def(
      "execute_engine(Tensor[] inputs, __torch__.torch.classes.tensorrt.Engine engine) -> "
      "Tensor[]");
  // The same where an operand is a tensor or nothing: in the branches and loops of an exported
  // program. The engine is loaded at the first call.
  library.def("execute_engine_container(Tensor[] inputs, Tensor container) -> Tensor[]");
  library.def("get_cudagraphs_mode() -> bool", &cuda_graphs);
  library.def("set_cudagraphs_mode(bool mode) -> ()", &set_cuda_graphs);
  library.def("get_multi_device_safe_mode() -> bool", &multi_device_safe_mode);
  library.def("set_multi_device_safe_mode(bool mode) -> ()", &set_multi_device_safe_mode);
  // Would execute_engine take these inputs? Guards an engine that was built for types that are
  // likely, not certain.
  library.def(
      "engine_accepts(Tensor[] inputs, __torch__.torch.classes.tensorrt.Engine engine) -> bool");
}

TORCH_LIBRARY_IMPL(tensorrt, CompositeExplicitAutograd, library) {
  library.impl("execute_engine", &execute);
  library.impl("execute_engine_container", &execute_container);
  library.impl("engine_accepts", &accepts);
}

TORCH_LIBRARY_IMPL(tensorrt, Meta, library) {
  library.impl("execute_engine", &execute_on_meta);
  library.impl("execute_engine_container", &execute_container_on_meta);
}

}  // namespace torch_tensorrt::runtime
