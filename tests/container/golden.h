#pragma once

// The three containers that every gate starts from. Their files stay in data/ for ever: a later
// release must read them.

#include <filesystem>
#include <string>
#include <vector>

#include "container/forge.h"
#include "core/artifact.h"

namespace container {

struct Golden {
  std::string name;  ///< of its file
  torch_tensorrt::core::Artifact artifact;
};

/// What the files hold, made anew.
std::vector<Golden> make_goldens();
/// The files' bytes.
std::vector<Bytes> golden_files();
/// The goldens' files, and a container for every layer kind: where mutation starts.
std::vector<Bytes> seeds();
void write_goldens(const std::filesystem::path& folder);
void write_seeds(const std::filesystem::path& folder);

}  // namespace container
