// NVIDIA's Python modules, through torch_tensorrt._tensorrt.

#include "core/foreign.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <cstring>
#include <tuple>
#include <utility>

#include "bindings.h"
#include "core/error.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

std::string message(const py::error_already_set& error) {
  return py::str(error.value()).cast<std::string>();
}

/// An object of Python's, used by threads that do not hold the interpreter's lock. Its exceptions
/// become core::Error(unsupported) with their words.
class Object {
 public:
  explicit Object(py::object object) : object_(std::move(object)) {}
  ~Object() {
    if (!Py_IsInitialized()) {
      // The interpreter, and with it the object, is gone.
      object_.release();
      return;
    }
    const py::gil_scoped_acquire gil;
    object_ = py::object();
  }
  Object(Object&& other) noexcept : object_(std::move(other.object_)) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const py::object& get() const { return object_; }
  template <typename Result = void, typename... Arguments>
  Result call(const char* method, Arguments&&... arguments) const {
    const py::gil_scoped_acquire gil;
    try {
      const py::object result = object_.attr(method)(std::forward<Arguments>(arguments)...);
      if constexpr (std::is_same_v<Result, Object>) {
        return Object(result);
      } else if constexpr (!std::is_void_v<Result>) {
        return result.cast<Result>();
      }
    } catch (const py::error_already_set& error) {
      throw core::unsupported("[engine] ", message(error));
    }
  }

 private:
  py::object object_;
};

std::uintptr_t address(const void* data) { return reinterpret_cast<std::uintptr_t>(data); }

class PythonContext final : public core::ForeignContext {
 public:
  explicit PythonContext(Object object) : object_(std::move(object)) {}

  void set_input_shape(const std::string& name, std::span<const std::int64_t> dims) override {
    object_.call("set_input_shape", name, std::vector(dims.begin(), dims.end()));
  }
  void set_address(const std::string& name, void* data) override {
    object_.call("set_address", name, address(data));
  }
  std::vector<std::int64_t> shape(const std::string& name) override {
    return object_.call<std::vector<std::int64_t>>("shape", name);
  }
  void set_allocator(const std::string& name, core::ForeignAllocator allocator) override {
    const std::function<std::uintptr_t(std::size_t)> allocate =
        [give = std::move(allocator.allocate)](std::size_t bytes) { return address(give(bytes)); };
    const std::function<void(const std::vector<std::int64_t>&)> set_dims =
        [set = std::move(allocator.set_dims)](const std::vector<std::int64_t>& dims) { set(dims); };
    object_.call("set_allocator", name, allocate, set_dims);
  }
  void enqueue(void* stream) override { object_.call("enqueue", address(stream)); }

 private:
  Object object_;
};

class PythonEngine final : public core::ForeignEngine {
 public:
  explicit PythonEngine(Object object) : object_(std::move(object)) {}

  std::vector<core::ForeignTensor> tensors() const override {
    using Row = std::tuple<std::string, std::string, bool, bool>;
    std::vector<core::ForeignTensor> tensors;
    for (const auto& [name, dtype, is_input, host] : object_.call<std::vector<Row>>("tensors"))
      tensors.push_back({name, core::dtype_from_name(dtype).value(), is_input, host});
    return tensors;
  }
  std::unique_ptr<core::ForeignContext> create_context() const override {
    return std::make_unique<PythonContext>(object_.call<Object>("create_context"));
  }
  std::int64_t streamable_bytes() const override {
    return object_.call<std::int64_t>("streamable_bytes");
  }
  std::int64_t budget() const override { return object_.call<std::int64_t>("budget"); }
  std::int64_t automatic_budget() const override {
    return object_.call<std::int64_t>("automatic_budget");
  }
  void set_budget(std::int64_t bytes) override { object_.call("set_budget", bytes); }

 private:
  Object object_;
};

py::memoryview view(const core::Blob& blob) {
  return py::memoryview::from_memory(static_cast<const void*>(blob.data()),
                                     static_cast<py::ssize_t>(blob.size()));
}

class PythonLibrary final : public core::ForeignLibrary {
 public:
  explicit PythonLibrary(py::object module) : module_(std::move(module)) {}

  std::string version(std::string_view engine, std::string& reason) const override {
    const py::gil_scoped_acquire gil;
    try {
      return module_.get().attr("version")(engine).cast<std::string>();
    } catch (const py::error_already_set& error) {
      reason = message(error);
      return {};
    }
  }

  core::Blob build(std::string_view engine, const std::string& program,
                   std::span<const core::Blob> weights) const override {
    const py::gil_scoped_acquire gil;
    py::list views;
    for (const core::Blob& blob : weights) views.append(view(blob));
    const auto plan = module_.call<std::string>("build", engine, program, views);
    std::vector<std::byte> bytes(plan.size());
    std::memcpy(bytes.data(), plan.data(), plan.size());
    return core::Blob::of(std::move(bytes));
  }

  std::unique_ptr<core::ForeignEngine> load(std::string_view engine,
                                            const core::Blob& plan) const override {
    const py::gil_scoped_acquire gil;
    return std::make_unique<PythonEngine>(module_.call<Object>("load", engine, view(plan)));
  }

 private:
  Object module_;
};

}  // namespace

void init_foreign(py::module_& module) {
  module.def(
      "set_foreign_library",
      [](py::object library) {
        core::set_foreign_library(std::make_shared<const PythonLibrary>(std::move(library)));
      },
      py::arg("module"));
}

}  // namespace torch_tensorrt::python
