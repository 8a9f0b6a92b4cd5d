#include "core/engine_cache.h"

#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <ostream>
#include <set>
#include <utility>

#include "core/artifact.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/sha256.h"
#include "core/version.h"

namespace torch_tensorrt::core {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtension = ".engine";
/// What a process that was killed left behind goes after this many seconds.
constexpr std::time_t kAbandoned = 3600;

struct Header {
  std::array<char, 8> magic;
  std::uint64_t size;
  std::array<std::byte, 32> checksum;  ///< of key and content
};
static_assert(sizeof(Header) == 48);
constexpr std::array<char, 8> kMagic = {'T', 'T', 'R', 'T', 'E', 'C', '0', '1'};

std::array<std::byte, 32> checksum(const std::string& key, std::span<const std::byte> blob) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(key)));
  hash.update(blob);
  return hash.finish();
}

/// An open file, closed at the end.
class File {
 public:
  /// Not through a link, and not waiting for what a pipe's other end may never write.
  explicit File(const fs::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const { return fd_ >= 0; }
  std::optional<std::uint64_t> size() const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(info.st_size);
  }
  bool read(void* data, std::size_t size) const {
    auto* bytes = static_cast<char*>(data);
    while (size > 0) {
      const ssize_t done = ::read(fd_, bytes, size);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      bytes += done;
      size -= static_cast<std::size_t>(done);
    }
    return true;
  }
  /// Marks it as used now.
  void touch() const { (void)::futimens(fd_, nullptr); }

 private:
  int fd_;
};

/// The blob in the file; nothing where it is not whole, or another key's.
std::optional<Blob> read_checked(const File& file, const std::string& key) {
  Header header{};
  const auto total = file.size();
  if (!total || *total < sizeof(Header) || !file.read(&header, sizeof(Header))) return std::nullopt;
  if (header.magic != kMagic || header.size != *total - sizeof(Header)) return std::nullopt;
  std::vector<std::byte> bytes(header.size);
  if (!file.read(bytes.data(), bytes.size()) || checksum(key, bytes) != header.checksum) {
    return std::nullopt;
  }
  return Blob::of(std::move(bytes));
}

struct Listed {
  fs::path path;
  struct stat info {};
};

std::vector<Listed> regular_files(const fs::path& folder) {
  std::vector<Listed> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    Listed file{at->path(), {}};
    if (::lstat(file.path.c_str(), &file.info) == 0 && S_ISREG(file.info.st_mode)) {
      files.push_back(std::move(file));
    }
  }
  return files;
}

/// The key becomes a file's name: nothing in it may lead elsewhere.
bool is_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

namespace {

struct BuildId {
  std::uintptr_t address;
  std::string hex;
};

bool holds(const dl_phdr_info& object, std::uintptr_t address) {
  const std::span segments(object.dlpi_phdr, object.dlpi_phnum);
  return std::ranges::any_of(segments, [&](const ElfW(Phdr) & segment) {
    const std::uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
    return segment.p_type == PT_LOAD && address >= begin && address < begin + segment.p_memsz;
  });
}

int read_build_id(dl_phdr_info* object, std::size_t, void* data) {
  auto& wanted = *static_cast<BuildId*>(data);
  if (!holds(*object, wanted.address)) return 0;
  for (const ElfW(Phdr) & segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(object->dlpi_addr + segment.p_vaddr);
    const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
    for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= segment.p_memsz;) {
      ElfW(Nhdr) note;
      std::memcpy(&note, bytes + at, sizeof note);
      const std::size_t content = at + sizeof note + padded(note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && content + note.n_descsz <= segment.p_memsz) {
        wanted.hex = to_hex({bytes + content, note.n_descsz});
        return 1;
      }
      at = content + padded(note.n_descsz);
    }
  }
  return 1;
}

}  // namespace

std::string build_id(const void* address) {
  BuildId wanted{reinterpret_cast<std::uintptr_t>(address), {}};
  ::dl_iterate_phdr(read_build_id, &wanted);
  return wanted.hex;
}

std::string engine_cache_key(std::string_view engine, const Network& network,
                             std::span<const std::string> circumstances) {
  Sha256 hash;
  // With its length in front, a part never runs into the next one.
  const auto add = [&](std::string_view part) {
    const std::uint64_t size = part.size();
    hash.update(std::as_bytes(std::span(&size, 1)));
    hash.update(std::as_bytes(std::span(part)));
  };
  add(engine);
  add(kVersion);
  add(network.digest());
  for (const std::string& part : circumstances) add(part);
  return text(engine, '-', to_hex(hash.finish()));
}

fs::path EngineCache::path_of(const std::string& key) const {
  return folder_ / (key + std::string(kExtension));
}

std::string EngineCache::refusal() const {
  struct stat info {};
  if (::stat(folder_.c_str(), &info) != 0) return {};
  const std::string where = text("the engine cache ", folder_.string());
  if (!S_ISDIR(info.st_mode)) return text(where, " is no folder");
  if (info.st_uid != ::geteuid()) {
    return text(where, " belongs to user ", info.st_uid, ", expected ", ::geteuid(),
                ": who may write to it decides what runs");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return text(where, " may be written to by others, who would decide what runs; `chmod go-w ",
                folder_.string(), "` lets it be used");
  }
  return {};
}

bool EngineCache::usable() const {
  const std::string why = refusal();
  if (why.empty()) return true;
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (told.insert(why).second) log_warning(why);  // once, not for every engine
  return false;
}

std::optional<Blob> EngineCache::find(const std::string& key) const {
  if (!is_key(key) || !usable()) return std::nullopt;
  const fs::path path = path_of(key);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return std::nullopt;
  const File file(path);
  auto blob = file.is_open() ? read_checked(file, key) : std::nullopt;
  if (!blob) {
    log_warning("removed a damaged file from the engine cache: ", path.string());
    remove(key);
    return std::nullopt;
  }
  file.touch();
  return blob;
}

void EngineCache::put(const std::string& key, std::span<const std::byte> blob) const {
  if (!is_key(key)) return;
  std::error_code error;
  fs::create_directories(fs::absolute(folder_, error).parent_path(), error);
  ::mkdir(folder_.c_str(), S_IRWXU);
  if (!usable()) return;
  make_room(blob.size() + sizeof(Header));
  // A folder, link or pipe in the place of the entry would be written into, or not at all.
  const fs::file_status there = fs::symlink_status(path_of(key), error);
  if (fs::exists(there) && !fs::is_regular_file(there)) remove(key);
  const Header header{kMagic, blob.size(), checksum(key, blob)};
  try {
    write_atomically(
        path_of(key),
        [&](std::ostream& out) {
          out.write(reinterpret_cast<const char*>(&header), sizeof header);
          out.write(reinterpret_cast<const char*>(blob.data()),
                    static_cast<std::streamsize>(blob.size()));
        },
        Readers::owner);
  } catch (const Error& problem) {
    log_warning("engine cache: ", problem.what());
  }
}

bool EngineCache::remove(const std::string& key) const {
  std::error_code error;
  return is_key(key) && fs::remove_all(path_of(key), error) > 0 && !error;
}

std::vector<EngineCache::Entry> EngineCache::entries() const {
  std::vector<Entry> entries;
  for (const Listed& file : regular_files(folder_)) {
    if (file.path.extension() != kExtension) continue;
    entries.push_back({file.path.stem().string(), static_cast<std::uintmax_t>(file.info.st_size),
                       file.info.st_mtime});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(-a.used, a.key) < std::pair(-b.used, b.key);
  });
  return entries;
}

void EngineCache::make_room(std::uintmax_t size) const {
  std::error_code error;
  for (const Listed& file : regular_files(folder_)) {
    const bool abandoned = std::time(nullptr) - file.info.st_mtime > kAbandoned;
    if (is_unfinished(file.path) && abandoned) fs::remove(file.path, error);
  }
  std::vector<Entry> all = entries();
  std::uintmax_t total = size;
  for (const Entry& entry : all) total += entry.size;
  for (; total > capacity_ && !all.empty(); all.pop_back()) {
    if (remove(all.back().key)) total -= all.back().size;
  }
}

}  // namespace torch_tensorrt::core
