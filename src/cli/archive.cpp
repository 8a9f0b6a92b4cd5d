#include "cli/archive.h"

#include <caffe2/serialize/crc_alt.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/error.h"
#include "core/files.h"

namespace torch_tensorrt::cli {
namespace {

using core::Blob;
using core::ByteReader;
using core::incompatible;

constexpr std::string_view kEngineMagic("\x89TRT\r\n\x1a\n", 8);
constexpr std::string_view kZipMagic("PK\x03\x04", 4);
/// An exported program keeps its objects as archives in the archive.
constexpr int kMaxNesting = 4;
/// Deflate cannot pack more densely.
constexpr std::size_t kMaxInflation = 1032;

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(magic);
}

// ---- the archive's directory, as the ZIP specification has it ----

struct Directory {
  std::uint64_t offset = 0, entries = 0;
};

Directory find_directory(std::span<const std::byte> file) {
  constexpr std::size_t kEnd = 22, kLocator = 20;
  constexpr std::uint32_t kEndMagic = 0x06054b50, kLocatorMagic = 0x07064b50,
                          kEnd64Magic = 0x06064b50;
  const auto has = [&](std::uint64_t at, std::uint32_t magic) {
    return at <= file.size() && file.size() - at >= sizeof magic &&
           ByteReader(file.subspan(at)).number<std::uint32_t>() == magic;
  };
  // It ends the file, but for a comment that PyTorch does not write.
  const std::size_t end = file.size() < kEnd ? 0 : file.size() - kEnd;
  if (!has(end, kEndMagic)) throw incompatible("the archive's directory is missing: cut off?");
  ByteReader in(file.subspan(end));
  in.raw(10);
  Directory found;
  found.entries = in.number<std::uint16_t>();
  in.raw(4);
  found.offset = in.number<std::uint32_t>();
  if (end < kLocator || !has(end - kLocator, kLocatorMagic)) return found;
  ByteReader locator(file.subspan(end - kLocator));
  locator.raw(8);
  const auto end64 = locator.number<std::uint64_t>();
  if (!has(end64, kEnd64Magic)) throw incompatible("the archive's directory is damaged");
  ByteReader wide(file.subspan(end64));
  wide.raw(32);
  found.entries = wide.number<std::uint64_t>();
  wide.raw(8);
  found.offset = wide.number<std::uint64_t>();
  return found;
}

/// Names in an archive begin with a folder of its own.
std::string without_folder(std::string_view name) {
  return std::string(name.substr(name.find('/') + 1));
}

/// The name in front of a record's data, which is there a second time.
std::string local_name(std::span<const std::byte> file, std::uint64_t offset) {
  ByteReader in(file.subspan(std::min<std::uint64_t>(offset, file.size())), offset);
  in.raw(26);
  const auto size = in.number<std::uint16_t>();
  in.raw(2);
  const auto name = in.raw(size);
  return without_folder({reinterpret_cast<const char*>(name.data()), name.size()});
}

/// CRC by record; names without the archive's own folder.
std::map<std::string, std::uint32_t> read_directory(std::span<const std::byte> file) {
  constexpr std::uint32_t kEntryMagic = 0x02014b50;
  const Directory directory = find_directory(file);
  if (directory.offset > file.size()) throw incompatible("the archive's directory is damaged");
  ByteReader in(file.subspan(directory.offset), directory.offset);
  std::map<std::string, std::uint32_t> crcs;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (in.number<std::uint32_t>() != kEntryMagic)
      throw incompatible("the archive's directory is damaged before offset ", in.offset());
    in.raw(12);
    const auto crc = in.number<std::uint32_t>();
    in.raw(8);
    const std::uint64_t name_size = in.number<std::uint16_t>();
    const std::uint64_t extra = in.number<std::uint16_t>();
    const std::uint64_t comment = in.number<std::uint16_t>();
    in.raw(12);
    const auto name = in.raw(name_size);
    const std::string full(reinterpret_cast<const char*>(name.data()), name.size());
    if (!crcs.emplace(without_folder(full), crc).second)
      throw incompatible("the archive has the record '", full, "' twice");
    in.raw(extra + comment);
  }
  return crcs;
}

/// What PyTorch says of an archive that it refuses, in one line.
std::string reason(const std::exception& error) {
  const auto* torch = dynamic_cast<const c10::Error*>(&error);
  const std::string all = torch ? torch->what_without_backtrace() : error.what();
  return all.substr(0, all.find('\n'));
}

/// PyTorch's own adapter for memory reads past its end where the file says so.
class BoundedMemory final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit BoundedMemory(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t size,
                   const char* /*what*/) const override {
    if (position > bytes_.size() || size > bytes_.size() - position) {
      throw incompatible("truncated at offset ", position, ": ", size, " bytes expected");
    }
    std::ranges::copy(bytes_.subspan(position, size), static_cast<std::byte*>(buffer));
    return size;
  }

 private:
  std::span<const std::byte> bytes_;
};

void collect_records(const Blob& file, const std::string& place, int depth, Contents& out) {
  if (depth > kMaxNesting) throw incompatible("archives are nested deeper than ", kMaxNesting);
  const std::map<std::string, std::uint32_t> crcs = read_directory(file.bytes());
  caffe2::serialize::PyTorchStreamReader reader(std::make_shared<BoundedMemory>(file.bytes()));
  for (const std::string& name : reader.getAllRecords()) {
    // Before the record is unpacked: a few bytes may claim to be very many.
    if (reader.getRecordSize(name) / kMaxInflation > file.size()) {
      throw incompatible("record '", name, "' would unpack to ", reader.getRecordSize(name),
                         " bytes");
    }
    auto [data, size] = reader.getRecord(name);
    const auto crc = crcs.find(name);
    if (crc == crcs.end() || crc32_fast(data.get(), size) != crc->second) {
      throw incompatible("record '", name, "' does not match its CRC: the data are damaged");
    }
    if (local_name(file.bytes(), reader.getRecordHeaderOffset(name)) != name)
      throw incompatible("record '", name, "' has another name in front of its data");
    ++out.records;
    const auto owner = std::make_shared<at::DataPtr>(std::move(data));
    const Blob record(owner, owner->get(), size);
    const std::string where = place.empty() ? name : place + '/' + name;
    if (starts_with(record.bytes(), kEngineMagic)) {
      out.engines.push_back({where, record});
    } else if (starts_with(record.bytes(), kZipMagic)) {
      collect_records(record, where, depth + 1, out);
    }
  }
}

}  // namespace

Contents read_contents(const std::string& path) {
  const Blob file = Blob::of(core::read_file(path));
  Contents out;
  out.size = file.size();
  if (starts_with(file.bytes(), kEngineMagic)) {
    out.kind = FileKind::engine;
    out.engines.push_back({"", file});
    return out;
  }
  if (!starts_with(file.bytes(), kZipMagic)) {
    throw incompatible("neither an engine nor an archive of torch.jit.save or torch.export.save");
  }
  try {
    collect_records(file, "", 0, out);
  } catch (const core::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw incompatible("not a sound archive: ", reason(error));
  }
  return out;
}

}  // namespace torch_tensorrt::cli
