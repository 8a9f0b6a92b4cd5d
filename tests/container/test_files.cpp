// Saves are atomic: whenever the process ends, the file is the old one or the new one.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>

#include "container/forge.h"
#include "container/scratch.h"
#include "core/error.h"
#include "core/files.h"
#include "unit/harness.h"

namespace container {
namespace {

using torch_tensorrt::core::read_file;
using torch_tensorrt::core::Readers;
using torch_tensorrt::core::write_atomically;
namespace fs = std::filesystem;

using Save = std::function<void(const fs::path&, const Bytes&)>;

void write_in_pieces(std::ostream& out, const Bytes& bytes) {
  constexpr std::size_t kPiece = 64 << 10;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::size_t size = std::min(kPiece, bytes.size() - at);
    out.write(reinterpret_cast<const char*>(bytes.data() + at), static_cast<std::streamsize>(size));
  }
}

void save(const fs::path& path, const Bytes& bytes) {
  write_atomically(path, [&](std::ostream& out) { write_in_pieces(out, bytes); });
}

/// A planted bug: writes over the old file.
void save_over(const fs::path& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary);
  write_in_pieces(out, bytes);
}

/// Kills a process that saves again and again, `kills` times; how often is the file then neither of
/// the two that it writes?
int torn_files(const Save& saver, int kills) {
  const Scratch scratch;
  const fs::path path = scratch.folder() / "model.ts";
  const Bytes contents[] = {Bytes(std::size_t{1} << 20, std::byte{1}),
                            Bytes(std::size_t{3} << 19, std::byte{2})};
  saver(path, contents[0]);
  std::mt19937 random(3);
  int torn = 0;
  for (int i = 0; i < kills; ++i) {
    const pid_t child = in_child([&] {
      for (std::size_t turn = 0;; ++turn) saver(path, contents[turn % 2]);
      return 0;
    });
    ::usleep(random() % 20'000);
    ::kill(child, SIGKILL);
    wait_for(child);
    const Bytes found = read_file(path);
    if (found != contents[0] && found != contents[1]) ++torn;
  }
  return torn;
}

TEST(killed_saves_leave_no_torn_file) { CHECK_EQ(torn_files(save, 200), 0); }

TEST(kills_find_a_save_that_writes_over_the_file) { CHECK(torn_files(save_over, 40) > 0); }

TEST(a_save_that_fails_leaves_the_old_file) {
  const Scratch scratch;
  const fs::path path = scratch.folder() / "model.ts";
  const Bytes old = bytes_of("old"), large(std::size_t{1} << 20);
  save(path, old);
  // A file of at most 64 KiB, in a process of its own: writing more fails as on a full disk.
  const int code = wait_for(in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64 << 10, 64 << 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      save(path, large);
    } catch (const torch_tensorrt::core::Error& error) {
      const std::string_view what = error.what();
      return what.find("cannot write '") == 0 && what.ends_with("File too large") ? 42 : 1;
    }
    return 2;
  }));
  CHECK_EQ(code, 42);
  CHECK(read_file(path) == old);
  CHECK_EQ(std::distance(fs::directory_iterator(scratch.folder()), fs::directory_iterator()), 1);
}

TEST(a_full_device_is_an_error) {
  CHECK_THROWS(save("/dev/full", bytes_of("x")), "cannot write '/dev/full'");
  CHECK(fs::is_character_file("/dev/full"));
}

TEST(what_is_no_file_is_written_to_and_stays) {
  save("/dev/null", bytes_of("x"));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST(a_link_stays_a_link) {
  const Scratch scratch;
  const fs::path file = scratch.folder() / "file", link = scratch.folder() / "link";
  save(file, bytes_of("old"));
  fs::create_symlink(file, link);
  save(link, bytes_of("new"));
  CHECK(fs::is_symlink(link));
  CHECK(read_file(file) == bytes_of("new"));
}

TEST(new_files_are_as_open_as_asked) {
  const Scratch scratch;
  const mode_t before = ::umask(022);
  save(scratch.folder() / "model", bytes_of("x"));
  write_atomically(scratch.folder() / "mine", [](std::ostream&) {}, Readers::owner);
  ::umask(before);
  const auto mode = [&](const char* name) {
    return static_cast<unsigned>(fs::status(scratch.folder() / name).permissions());
  };
  CHECK_EQ(mode("model"), 0644u);
  CHECK_EQ(mode("mine"), 0600u);
}

TEST(files_that_cannot_be_read_or_written_are_named) {
  CHECK_THROWS(read_file("/none/model.ts"), "cannot read '/none/model.ts': No such file");
  CHECK_THROWS(save("/none/model.ts", {}), "cannot write '/none/model.ts': No such file");
}

}  // namespace
}  // namespace container
