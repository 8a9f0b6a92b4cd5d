#pragma once

// A test double of TensorRT's network builder: takes every call of the C++ API, refuses none, and
// writes down what was called in the text form of a Script.

#include <NvInfer.h>

#include <any>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tensorrt/script.h"

namespace torch_tensorrt::tests {

using engines::tensorrt::Script;

/// What was called so far, and the objects that the calls gave.
class Recorder {
 public:
  /// Weights are named after the entries of `script` that hold their bytes.
  explicit Recorder(const Script& script) : script_(script) {}

  void line(const std::string& text) { text_ += text + '\n'; }
  const std::string& text() const { return text_; }

  /// The first object made is the network.
  template <class Double>
  Double* make() {
    const auto id = static_cast<std::uint32_t>(objects_.size());
    auto object = std::make_shared<Double>(*this, id);
    ids_[object.get()] = id;
    objects_.push_back(object);
    return object.get();
  }
  /// Numbers an object that is none of the recorder's.
  template <class Other>
  std::uint32_t number(const Other& object) {
    const auto id = static_cast<std::uint32_t>(objects_.size());
    objects_.push_back(nullptr);
    others_[address(object)] = id;
    return id;
  }
  template <class Other>
  std::string name_of_other(const Other& object) const {
    return name_of(others_.at(address(object)));
  }
  /// "%3", or "network" for 0.
  static std::string name_of(std::uint32_t id);
  std::string name_of(const nvinfer1::INoCopy& object) const;
  std::string text_of(const nvinfer1::PluginField& field) const;
  std::string text_of(const nvinfer1::Weights& weights) const;

 private:
  /// Of the whole object, whichever of its interfaces it is seen as.
  template <class Other>
  static const void* address(const Other& object) {
    return dynamic_cast<const void*>(&object);
  }

  const Script& script_;
  std::string text_;
  std::map<const nvinfer1::INoCopy*, std::uint32_t> ids_;
  std::map<const void*, std::uint32_t> others_;
  std::vector<std::shared_ptr<void>> objects_;
};

/// A network of which a recorder notes the calls.
class RecordingNetwork {
 public:
  explicit RecordingNetwork(const Script& script);
  nvinfer1::INetworkDefinition& network();
  /// Has "Scale" of version "1" in the namespace "mylib", NVIDIA's "ROIAlign_TRT", and "Old" of the
  /// interface before IPluginV3.
  nvinfer1::IPluginRegistry& registry() { return *registry_; }
  /// How many plugins there are that nobody destroyed.
  static int plugins();
  const std::string& text() const { return recorder_.text(); }

 private:
  Recorder recorder_;
  nvinfer1::INetworkDefinition* network_;
  std::shared_ptr<nvinfer1::IPluginRegistry> registry_;
};

/// The text of a script, or of a recording of it, as far as it has to agree: objects are numbered
/// anew, results without a use and trailing arguments with Python's default value are left out.
std::string normalized(const std::string& text);
/// The script as C++ can play it: float parameters are of single precision.
Script in_single_precision(Script script);

}  // namespace torch_tensorrt::tests
