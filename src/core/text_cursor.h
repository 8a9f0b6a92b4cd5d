#pragma once

// A position in the text form: tokens in, or an error with the line.

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/dtype.h"
#include "core/error.h"

namespace torch_tensorrt::core {

class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  template <typename... Args>
  [[nodiscard]] Error error(const Args&... args) const {
    return invalid_argument("network text, line ", line(), ": ", args...);
  }

  /// The next character after blanks and comment lines, or 0 at the end.
  char peek() const;
  /// Takes `token` if it comes next; one of letters must end there.
  bool accept(std::string_view token);
  void expect(std::string_view token);
  void expect_end();
  /// Letters, digits and '_'.
  std::string_view word();
  std::string quoted();
  std::string unescaped(std::string_view s) const;
  /// The rest of this line after "# ", or nothing.
  std::string_view comment();
  /// One element of constant data as bytes: a decimal, or 0x and its bits.
  void element(DType dtype, std::byte* out);

  template <typename T>
  T number() {
    at_ = next();
    T value{};
    const auto [end, failure] = std::from_chars(begin(), end_of_text(), value);
    if (failure != std::errc()) throw error("found ", found(), ", expected a number");
    at_ += static_cast<std::size_t>(end - begin());
    return value;
  }

 private:
  std::size_t next() const;
  std::size_t line() const;
  std::string found() const;
  const char* begin() const { return text_.data() + at_; }
  const char* end_of_text() const { return text_.data() + text_.size(); }
  template <typename Bits>
  Bits hex_bits();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace torch_tensorrt::core
