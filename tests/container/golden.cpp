#include "container/golden.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "core/builder.h"
#include "unit/examples.h"

namespace container {

using namespace torch_tensorrt::core;

namespace {

Blob pattern(std::size_t floats) {
  Bytes bytes(floats * sizeof(float));
  for (std::size_t i = 0; i < floats; ++i) {
    const float value = static_cast<float>(i % 17) / 16.0f - 0.5f;
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
  return Blob::of(std::move(bytes));
}

Artifact finished(std::string name, Network network, std::vector<Plan> plans) {
  Artifact artifact;
  artifact.name = std::move(name);
  artifact.producer = "torch_tensorrt 0.1.0";
  artifact.preferred_engine = "openvino";
  for (std::size_t i = 0; i < network.inputs().size(); ++i) {
    artifact.inputs.push_back(
        {network.input_name(i), network.type(network.inputs()[i]), network.input_is_host(i)});
  }
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    artifact.outputs.push_back(
        {network.output_names()[i], network.type(network.outputs()[i]), false});
  }
  artifact.network = std::move(network);
  artifact.plans = std::move(plans);
  return artifact;
}

// One layer a statement: compilers differ in which operand they evaluate first.

/// Two layers with weights, a dynamic batch, an engine that is built from the network.
Network linear() {
  Network network;
  NetworkBuilder net(network);
  const Value x = net.input("x", {DType::f32, {Extent::range(1, 4, 8), 12}});
  net.set_origin({"first", "model.py:12"});
  const Value w = net.constant({DType::f32, {12, 8}, pattern(96)});
  const Value bias = net.constant({DType::f32, {1, 8}, pattern(8)});
  const Value hidden = net.activation(ActivationOp::relu, net.matmul(x, w) + bias);
  net.set_origin({"second", "model.py:13"});
  const Value v = net.constant({DType::f32, {8, 3}, pattern(24)});
  const Value y = net.matmul(hidden, v);
  network.mark_output(net.softmax(y, 1).id(), "y");
  return network;
}

/// Networks inside a network, sizes computed on the host, several dtypes.
Network control() {
  const auto branch = [](double factor) {
    auto body = std::make_shared<Network>();
    NetworkBuilder net(*body);
    body->mark_output((net.input("v", {DType::f32, {Extent::range(1, 2, 6)}}) * factor).id(), "w");
    return body;
  };
  Network network;
  NetworkBuilder net(network);
  const Value go = net.input("go", {DType::b, {}});
  const Value x = net.input("x", {DType::f32, {Extent::range(1, 2, 6), 5}});
  const Value first = net.reduce(ReduceOp::sum, x, {1}, false);
  const Value picked = net.one(If{branch(2), branch(-1)}, {go, first});
  const Value column = net.reshape(picked, {net.size(x, 0), std::int64_t{1}});
  const Value wide = net.broadcast(column, net.sizes(x));
  network.mark_output((x + wide).id(), "y");
  network.mark_output(net.cast(picked, DType::f16).id(), "half");
  return network;
}

void write(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

std::vector<Golden> make_goldens() {
  Bytes built(600);
  for (std::size_t i = 0; i < built.size(); ++i) built[i] = static_cast<std::byte>(i * 31 % 251);
  std::vector<Golden> out;
  out.push_back({"linear", finished("forward_engine_0", linear(),
                                    {{"openvino", "2026.4.1", "avx512_amx", {}}})});
  out.push_back({"control", finished("forward_engine_1", control(),
                                     {{"tensorrt_rtx", "1.2.0", "sm_89", Blob::of(built)},
                                      {"openvino", "2026.4.1", "avx2", {}}})});
  Artifact stripped = finished("forward_engine_2", linear(),
                               {{"tensorrt_rtx", "1.2.0", "sm_120", Blob::of(built)}});
  stripped.network.reset();
  out.push_back({"stripped", std::move(stripped)});
  return out;
}

std::vector<Bytes> golden_files() {
  std::vector<Bytes> files;
  for (const char* name : {"linear", "control", "stripped"}) {
    std::ifstream file(std::filesystem::path(TORCHTRT_GOLDENS) / (std::string(name) + ".trt"),
                       std::ios::binary);
    files.push_back(bytes_of(std::string(std::istreambuf_iterator<char>(file), {})));
  }
  return files;
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> out = golden_files();
  for (examples::Example& example : examples::every_kind()) {
    out.push_back(finished(example.kind, std::move(example.network), {}).to_bytes());
  }
  return out;
}

void write_goldens(const std::filesystem::path& folder) {
  for (const Golden& golden : make_goldens()) {
    write(folder / (golden.name + ".trt"), golden.artifact.to_bytes());
  }
}

void write_seeds(const std::filesystem::path& folder) {
  for (std::size_t i = 0; const Bytes& seed : seeds()) write(folder / std::to_string(i++), seed);
}

}  // namespace container
