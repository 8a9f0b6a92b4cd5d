#include "cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt::cli {
namespace {

core::Error cannot(const char* what, const std::string& path) {
  return core::invalid_argument("cannot ", what, " '", path, "': ", std::strerror(errno));
}

void sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const int saved = errno;
  if (file >= 0) ::close(file);
  errno = saved;
  if (!done) throw cannot("write", path);
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw cannot("read", path);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) throw cannot("read", path);
  std::vector<std::byte> out(bytes.size());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

void write_atomically(const std::string& path,
                      const std::function<void(const std::string&)>& write) {
  const std::string temporary = core::text(path, ".new-", ::getpid());
  try {
    write(temporary);
    sync(temporary, O_RDONLY);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw cannot("write", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const std::string folder = std::filesystem::absolute(path).parent_path().string();
  sync(folder, O_RDONLY | O_DIRECTORY);
}

}  // namespace torch_tensorrt::cli
