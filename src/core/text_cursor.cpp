#include "core/text_cursor.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <limits>

#include "core/scalar.h"

namespace torch_tensorrt::core {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <typename T>
void put(std::byte* out, T value) {
  std::memcpy(out, &value, sizeof value);
}

}  // namespace

std::size_t TextCursor::next() const {
  std::size_t at = at_;
  while (at < text_.size() && (is_blank(text_[at]) || text_[at] == '#')) {
    at = text_[at] == '#' ? std::min(text_.find('\n', at), text_.size()) : at + 1;
  }
  return at;
}

char TextCursor::peek() const {
  const std::size_t at = next();
  return at < text_.size() ? text_[at] : '\0';
}

bool TextCursor::accept(std::string_view token) {
  // Nothing is skipped on refusal: a comment that follows may be an origin.
  const std::string_view rest = text_.substr(next());
  if (!rest.starts_with(token)) return false;
  const bool cut =
      is_word(token.back()) && rest.size() > token.size() && is_word(rest[token.size()]);
  if (cut) return false;
  at_ = next() + token.size();
  return true;
}

void TextCursor::expect(std::string_view token) {
  if (accept(token)) return;
  at_ = next();
  throw error("found ", found(), ", expected '", token, "'");
}

void TextCursor::expect_end() {
  at_ = next();
  if (at_ < text_.size()) throw error("found ", found(), ", expected the end");
}

std::string_view TextCursor::word() {
  at_ = next();
  const std::size_t start = at_;
  while (at_ < text_.size() && is_word(text_[at_])) ++at_;
  if (at_ == start) throw error("found ", found(), ", expected a name");
  return text_.substr(start, at_ - start);
}

std::string TextCursor::quoted() {
  expect("\"");
  const std::size_t start = at_;
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n')
    at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size() || text_[at_] != '"') {
    at_ = std::min(start, text_.size());
    throw error("a string has no end");
  }
  return unescaped(text_.substr(start, at_++ - start));
}

std::string TextCursor::unescaped(std::string_view s) const {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\') {
      out += s[i];
      continue;
    }
    const std::string_view code = s.substr(i + 1, 3);
    int value = 0;
    if (code.starts_with('"') || code.starts_with('\\')) {
      out += code.front();
      i += 1;
    } else if (code.size() == 3 && code[0] == 'x' &&
               std::from_chars(code.data() + 1, code.data() + 3, value, 16).ptr ==
                   code.data() + 3) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      throw error("unknown escape in '", s, "'");
    }
  }
  return out;
}

std::string_view TextCursor::comment() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ >= text_.size() || text_[at_] != '#') return {};
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  std::string_view out = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end;
  if (out.starts_with(' ')) out.remove_prefix(1);
  return out;
}

template <typename Bits>
Bits TextCursor::hex_bits() {
  Bits bits{};
  const auto [end, failure] = std::from_chars(begin() + 2, end_of_text(), bits, 16);
  if (failure != std::errc()) throw error("found ", found(), ", expected bits of a number");
  at_ += static_cast<std::size_t>(end - begin());
  return bits;
}

void TextCursor::element(DType dtype, std::byte* out) {
  at_ = next();
  const bool hex = text_.substr(at_).starts_with("0x");
  switch (dtype) {
    case DType::f64:
      return hex ? put(out, hex_bits<std::uint64_t>()) : put(out, number<double>());
    case DType::f32:
      return hex ? put(out, hex_bits<std::uint32_t>()) : put(out, number<float>());
    case DType::f16:
      return put(out, hex ? hex_bits<std::uint16_t>() : half_from_float(number<float>()));
    case DType::bf16:
      return put(out, hex ? hex_bits<std::uint16_t>() : bfloat16_from_float(number<float>()));
    case DType::i64:
    case DType::i32:
    case DType::i8:
      return store_scalar(dtype, number<std::int64_t>(), out);
    default:
      return put(out, number<std::uint8_t>());
  }
}

std::size_t TextCursor::line() const {
  const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::string TextCursor::found() const {
  if (at_ >= text_.size()) return "the end";
  return "'" +
         std::string(text_.substr(at_, std::min(text_.find('\n', at_) - at_, std::size_t{24}))) +
         "'";
}

}  // namespace torch_tensorrt::core
