#pragma once

// Files that are whole: read entirely, or replaced entirely.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

#include "core/export.h"

namespace torch_tensorrt::core {

/// All bytes of a file. Throws Error(invalid_argument) naming it.
TORCHTRT_API std::vector<std::byte> read_file(const std::filesystem::path& path);

enum class Readers { all, owner };  ///< who may read a new file; `all`: as the umask says

/// Lets `write` fill a new file beside `path` and puts it in the place of `path` when it is on the
/// disk: whenever the process or the machine ends, `path` is the old file or the new one, and a
/// failure leaves the old one. What is no regular file, such as /dev/stdout, is written to
/// directly. Throws Error(invalid_argument) naming the file.
TORCHTRT_API void write_atomically(const std::filesystem::path& path,
                                   const std::function<void(std::ostream&)>& write,
                                   Readers readers = Readers::all);

/// Is this the name of a file that write_atomically had not yet put in its place?
TORCHTRT_API bool is_unfinished(const std::filesystem::path& path);

}  // namespace torch_tensorrt::core
