#include "engines/openvino/blob_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/artifact.h"
#include "core/log.h"

namespace torch_tensorrt::engines::openvino {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtension = ".ovblob";

struct Header {
  std::array<char, 8> magic;
  std::uint64_t size;
  std::array<std::byte, 32> checksum;
};
static_assert(sizeof(Header) == 48);
constexpr std::array<char, 8> kMagic = {'T', 'T', 'R', 'T', 'O', 'V', '0', '1'};

/// An open file, closed at the end.
class File {
 public:
  File(const fs::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const { return fd_ >= 0; }
  bool sync() const { return ::fsync(fd_) == 0; }
  std::optional<std::uint64_t> size() const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(info.st_size);
  }
  bool read(void* data, std::size_t size) const {
    return transfer(static_cast<char*>(data), size,
                    [this](char* p, std::size_t n) { return ::read(fd_, p, n); });
  }
  bool write(const void* data, std::size_t size) const {
    return transfer(static_cast<const char*>(data), size,
                    [this](const char* p, std::size_t n) { return ::write(fd_, p, n); });
  }

 private:
  template <typename Byte, typename Call>
  static bool transfer(Byte* data, std::size_t size, Call call) {
    while (size > 0) {
      const ssize_t done = call(data, size);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      data += done;
      size -= static_cast<std::size_t>(done);
    }
    return true;
  }

  int fd_;
};

/// The blob in the file; nothing where it is not whole.
std::optional<core::Blob> read_checked(const File& file) {
  Header header{};
  const auto total = file.size();
  if (!total || *total < sizeof(Header) || !file.read(&header, sizeof(Header))) return std::nullopt;
  if (header.magic != kMagic || header.size != *total - sizeof(Header)) return std::nullopt;
  std::vector<std::byte> bytes(header.size);
  if (!file.read(bytes.data(), bytes.size()) || core::sha256(bytes) != header.checksum)
    return std::nullopt;
  return core::Blob::of(std::move(bytes));
}

bool write_whole(const fs::path& path, std::span<const std::byte> blob) {
  const File file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  const Header header{kMagic, blob.size(), core::sha256(blob)};
  return file.is_open() && file.write(&header, sizeof(Header)) &&
         file.write(blob.data(), blob.size()) && file.sync();
}

}  // namespace

fs::path BlobCache::path_of(const std::string& key) const {
  return folder_ / (key + std::string(kExtension));
}

std::optional<core::Blob> BlobCache::find(const std::string& key) const {
  const fs::path path = path_of(key);
  const File file(path, O_RDONLY | O_NOFOLLOW);
  if (!file.is_open()) return std::nullopt;
  auto blob = read_checked(file);
  if (!blob) {
    core::log_warning("openvino: removed a damaged file from the cache: ", path.string());
    remove(key);
    return std::nullopt;
  }
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return blob;
}

void BlobCache::put(const std::string& key, std::span<const std::byte> blob) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  make_room(blob.size() + sizeof(Header));
  const fs::path path = path_of(key);
  fs::path temporary = path;
  temporary += "." + std::to_string(::getpid()) + "." +
               std::to_string(reinterpret_cast<std::uintptr_t>(&blob)) + ".tmp";
  if (write_whole(temporary, blob))
    fs::rename(temporary, path, error);
  else
    error = std::error_code(errno, std::generic_category());
  if (!error) return;
  core::log_warning("openvino: cannot write to the cache ", path.string(), ": ", error.message());
  fs::remove(temporary, error);
}

void BlobCache::remove(const std::string& key) const {
  std::error_code ignored;
  fs::remove(path_of(key), ignored);
}

void BlobCache::make_room(std::uintmax_t size) const {
  struct Entry {
    fs::file_time_type used;
    std::uintmax_t size;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::uintmax_t total = size;
  std::error_code error;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_, error)) {
    if (file.path().extension() != kExtension || !file.is_regular_file(error)) continue;
    entries.push_back({file.last_write_time(error), file.file_size(error), file.path()});
    total += entries.back().size;
  }
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (total <= capacity_) break;
    if (fs::remove(entry.path, error)) total -= entry.size;
  }
}

}  // namespace torch_tensorrt::engines::openvino
