#include "engines/tensorrt/process.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

namespace fs = std::filesystem;

/// A folder of this user's alone, removed with what is in it.
class Folder {
 public:
  Folder() {
    std::string path = (fs::temp_directory_path() / "torchtrt-XXXXXX").string();
    if (!::mkdtemp(path.data()))
      throw core::unavailable("[engine] cannot make a temporary folder like ", path);
    path_ = path;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Finished {
  int code = 0;
  std::string output;
};

/// The player beside this library's folder. As a file, it needs nothing of torch.
fs::path player() {
  Dl_info info{};
  if (!::dladdr(reinterpret_cast<const void*>(&process_library), &info)) return {};
  return fs::canonical(info.dli_fname).parent_path().parent_path() / "_tensorrt.py";
}

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Finished run_player(const std::vector<std::string>& arguments) {
  const char* given = std::getenv("TORCHTRT_PYTHON");
  std::string command = quoted(given && *given ? given : "python3") + ' ' + quoted(player());
  for (const std::string& argument : arguments) command += ' ' + quoted(argument);
  Finished finished;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw core::unavailable("[engine] cannot start ", command);
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    finished.output.append(buffer.data(), count);
  finished.code = ::pclose(pipe);
  return finished;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

core::Blob read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return core::Blob::of(std::move(bytes));
}

class ProcessLibrary final : public core::ForeignLibrary {
 public:
  std::string version(std::string_view engine, std::string& reason) const override {
    const Finished finished = run_player({"version", std::string(engine)});
    if (finished.code == 0) return last_line(finished.output);
    reason = last_line(finished.output);
    return {};
  }

  core::Blob build(std::string_view engine, const std::string& program,
                   std::span<const core::Blob> weights) const override {
    const Folder folder;
    std::ofstream(folder.path() / "program.json") << program;
    std::ofstream file(folder.path() / "weights", std::ios::binary);
    for (const core::Blob& blob : weights)
      file.write(reinterpret_cast<const char*>(blob.data()),
                 static_cast<std::streamsize>(blob.size()));
    file.close();
    if (!file) throw core::unavailable("[engine] cannot write ", folder.path().string());
    const Finished finished = run_player({"build", std::string(engine), folder.path().string()});
    if (finished.code != 0)
      throw core::unsupported("[engine] ", engine, ": ", last_line(finished.output));
    return read_file(folder.path() / "plan");
  }

  std::unique_ptr<core::ForeignEngine> load(std::string_view engine,
                                            const core::Blob&) const override {
    throw core::unavailable("[engine] ", engine,
                            ": running a plan in a program without Python needs a build of "
                            "Torch-TensorRT that found NvInfer.h (cmake -DTensorRT_ROOT=..)");
  }
};

}  // namespace

std::shared_ptr<const core::ForeignLibrary> process_library() {
  static const auto builder = std::make_shared<const ProcessLibrary>();
  return builder;
}

}  // namespace torch_tensorrt::engines::tensorrt
