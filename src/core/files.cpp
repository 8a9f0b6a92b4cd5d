#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

#include "core/error.h"

namespace torch_tensorrt::core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".unfinished-";

Error cannot(std::string_view what, const fs::path& path) {
  return invalid_argument("cannot ", what, " '", path.string(), "': ", std::strerror(errno));
}

/// A name that no other process has chosen: nothing can be in its place.
fs::path make_unfinished(const fs::path& path, Readers readers) {
  const mode_t mode = readers == Readers::owner ? S_IRUSR | S_IWUSR : 0666;
  std::random_device random;
  for (;;) {
    fs::path name = path;
    name += text(kUnfinished, std::hex, random(), random());
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) throw cannot("write", path);
    ::close(file);
    return name;
  }
}

void sync(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const int saved = errno;
  if (file >= 0) ::close(file);
  errno = saved;
  if (!done) throw cannot("write", path);
}

void fill(const fs::path& path, const fs::path& shown,
          const std::function<void(std::ostream&)>& write) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  if (file) write(file);
  file.close();
  if (!file) throw cannot("write", shown);
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw cannot("read", path);
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (file.gcount() != static_cast<std::streamsize>(size)) throw cannot("read", path);
  return bytes;
}

void write_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write,
                      Readers readers) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) return fill(path, path, write);
  // A link stays a link to the file that is replaced.
  const fs::path target = fs::exists(status) ? fs::canonical(path, error) : path;
  const fs::path unfinished = make_unfinished(target, readers);
  try {
    fill(unfinished, path, write);
    sync(unfinished, O_RDONLY);
    if (::rename(unfinished.c_str(), target.c_str()) != 0) throw cannot("write", path);
  } catch (...) {
    ::unlink(unfinished.c_str());
    throw;
  }
  sync(fs::absolute(target).parent_path(), O_RDONLY | O_DIRECTORY);
}

bool is_unfinished(const fs::path& path) {
  return path.filename().string().find(kUnfinished) != std::string::npos;
}

}  // namespace torch_tensorrt::core
