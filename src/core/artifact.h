#pragma once

// What torch.classes.tensorrt.Engine serializes into a module: a versioned, checksummed,
// pickle-free container.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/blob.h"
#include "core/engine.h"
#include "core/export.h"
#include "core/network.h"

namespace torch_tensorrt::core {

struct IoEntry {
  std::string name;
  TensorType type;
  bool host = false;
  friend bool operator==(const IoEntry&, const IoEntry&) = default;
};

struct Artifact {
  std::string name;              ///< of the engine, "forward_engine_0"
  std::string producer;          ///< "torch_tensorrt 0.1.0"
  std::string preferred_engine;  ///< plugin that the Network was partitioned for
  bool alternates = false;       ///< ops of PyTorch run between the engines of its module
  std::vector<IoEntry> inputs, outputs;
  std::optional<Network> network;  ///< portable truth; absent when compiled with portable=False
  std::vector<Plan> plans;

  /// Deterministic bytes for equal content.
  TORCHTRT_API std::vector<std::byte> to_bytes() const;
  /// Checks size, header, limits, table, digests, manifest, in this order, before anything is used.
  /// Throws Error(incompatible) naming offset, expected and found. Weights and plans are views into
  /// `bytes`.
  TORCHTRT_API static Artifact from_bytes(const Blob& bytes);
};

/// SHA-256 of the bytes, 32 bytes.
TORCHTRT_API std::array<std::byte, 32> sha256(std::span<const std::byte> bytes);
TORCHTRT_API std::string to_hex(std::span<const std::byte> bytes);

}  // namespace torch_tensorrt::core
