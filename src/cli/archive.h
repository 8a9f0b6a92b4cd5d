#pragma once

// The engines inside of a file, found without loading it: no engine is built and no code of the
// file is run.

#include <string>
#include <vector>

#include "core/blob.h"

namespace torch_tensorrt::cli {

struct FoundEngine {
  std::string place;  ///< name of its record; empty where the file is nothing else
  core::Blob bytes;
};

enum class FileKind { engine, archive };

struct Contents {
  FileKind kind = FileKind::archive;
  std::size_t size = 0;  ///< bytes of the file
  std::size_t records = 0;
  std::vector<FoundEngine> engines;
};

/// Reads an engine's bytes, or an archive of torch.jit.save or torch.export.save with every record
/// checked against its CRC. Throws core::Error saying what is damaged.
Contents read_contents(const std::string& path);

}  // namespace torch_tensorrt::cli
