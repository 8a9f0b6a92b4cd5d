#pragma once

// The layer kinds of the Network, each declared once. A declaration is a struct with
//   kind     its name in text and binary form,
//   inputs   its operands by name, in order: "x" required, "x?" optional, "x*" any number (last),
//   outputs  its results by name, in order: "y" one, "y*" any number,
//   attributes(self, on)  its attributes, by name.
// Printer, parser, hash, binary form, documentation and the Python view derive from these; nothing
// repeats them.
//
// Meaning: the IR is strict. Operands of pointwise layers have equal rank and equal dtype; axes are
// normalized to 0..rank-1; "host" operands (shapes, sizes, counts) are i64 and computable from
// shapes, constants and host inputs. Where a comment gives no formula, the meaning is that of the
// ATen function of the same name.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/blob.h"
#include "core/dtype.h"
#include "core/shape.h"

namespace torch_tensorrt::core {

class Network;
using Ints = std::vector<std::int64_t>;

/// A dense row-major tensor of constant data.
struct Tensor {
  DType dtype = DType::f32;
  Ints dims;
  Blob bytes;
};

/// The names of an attribute enum's values, in order.
template <typename Enum>
inline constexpr std::array<std::string_view, 0> enum_names{};
#define TORCHTRT_ENUM_NAMES(Enum, ...) \
  template <>                          \
  inline constexpr auto enum_names<Enum> = std::to_array<std::string_view>({__VA_ARGS__})

enum class UnaryOp {
  abs,
  neg,
  sign,
  exp,
  log,
  sqrt,
  recip,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  ceil,
  floor,
  round,
  erf,
  logical_not,
  isnan,
  isinf
};
TORCHTRT_ENUM_NAMES(UnaryOp, "abs", "neg", "sign", "exp", "log", "sqrt", "recip", "sin", "cos",
                    "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh",
                    "ceil", "floor", "round", "erf", "logical_not", "isnan", "isinf");

/// relu max(x,0) | sigmoid | tanh | leaky_relu slope alpha | elu alpha*(e^x-1) below 0 | selu |
/// softsign | softplus log(1+e^(beta x))/beta | clip to [alpha, beta] | hard_sigmoid clip(alpha x +
/// beta, 0, 1) | scaled_tanh alpha tanh(beta x) | thresholded_relu x>alpha?x:0 | gelu_erf |
/// gelu_tanh | silu | mish | hard_swish
enum class ActivationOp {
  relu,
  sigmoid,
  tanh,
  leaky_relu,
  elu,
  selu,
  softsign,
  softplus,
  clip,
  hard_sigmoid,
  scaled_tanh,
  thresholded_relu,
  gelu_erf,
  gelu_tanh,
  silu,
  mish,
  hard_swish
};
TORCHTRT_ENUM_NAMES(ActivationOp, "relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu",
                    "softsign", "softplus", "clip", "hard_sigmoid", "scaled_tanh",
                    "thresholded_relu", "gelu_erf", "gelu_tanh", "silu", "mish", "hard_swish");

/// div truncates on integers; fmod has the dividend's sign, remainder the divisor's.
enum class BinaryOp { add, sub, mul, div, floor_div, max, min, pow, fmod, remainder };
TORCHTRT_ENUM_NAMES(BinaryOp, "add", "sub", "mul", "div", "floor_div", "max", "min", "pow", "fmod",
                    "remainder");
enum class CompareOp { eq, ne, lt, le, gt, ge };
TORCHTRT_ENUM_NAMES(CompareOp, "eq", "ne", "lt", "le", "gt", "ge");
enum class LogicalOp { logical_and, logical_or, logical_xor };
TORCHTRT_ENUM_NAMES(LogicalOp, "and", "or", "xor");
enum class ReduceOp { sum, prod, max, min, mean, any, all };
TORCHTRT_ENUM_NAMES(ReduceOp, "sum", "prod", "max", "min", "mean", "any", "all");
enum class RandomKind { uniform, normal };
TORCHTRT_ENUM_NAMES(RandomKind, "uniform", "normal");
enum class Causal { none, upper_left, lower_right };
TORCHTRT_ENUM_NAMES(Causal, "none", "upper_left", "lower_right");
enum class Direction { forward, reverse, bidirectional };
TORCHTRT_ENUM_NAMES(Direction, "forward", "reverse", "bidirectional");
enum class RnnActivation { tanh, relu };
TORCHTRT_ENUM_NAMES(RnnActivation, "tanh", "relu");
enum class ResizeMode { nearest, linear, cubic };
TORCHTRT_ENUM_NAMES(ResizeMode, "nearest", "linear", "cubic");
enum class Coordinate { asymmetric, half_pixel, align_corners };
TORCHTRT_ENUM_NAMES(Coordinate, "asymmetric", "half_pixel", "align_corners");
enum class NearestRounding { floor, half_up };
TORCHTRT_ENUM_NAMES(NearestRounding, "floor", "half_up");
enum class GridMode { bilinear, nearest, cubic };
TORCHTRT_ENUM_NAMES(GridMode, "bilinear", "nearest", "cubic");
enum class GridPadding { zeros, border, reflection };
TORCHTRT_ENUM_NAMES(GridPadding, "zeros", "border", "reflection");
enum class PadMode { constant, reflect, edge, wrap };
TORCHTRT_ENUM_NAMES(PadMode, "constant", "reflect", "edge", "wrap");
enum class DepthOrder { depth_first, blocks_first };
TORCHTRT_ENUM_NAMES(DepthOrder, "depth_first", "blocks_first");
enum class ScatterReduce { none, sum, prod, max, min, mean };
TORCHTRT_ENUM_NAMES(ScatterReduce, "none", "sum", "prod", "max", "min", "mean");
enum class BoxForm { corners, center_size };
TORCHTRT_ENUM_NAMES(BoxForm, "corners", "center_size");
enum class PluginInterface { v2, v3 };
TORCHTRT_ENUM_NAMES(PluginInterface, "v2", "v3");

/// A parameter of a plugin: characters, or numbers.
struct PluginField {
  std::string name;
  std::variant<std::string, Tensor> value;
};

#define TORCHTRT_LAYER(kind_, inputs_, outputs_)        \
  static constexpr std::string_view kind = kind_;       \
  static constexpr std::string_view inputs = inputs_;   \
  static constexpr std::string_view outputs = outputs_; \
  static void attributes([[maybe_unused]] auto& self, [[maybe_unused]] auto&& on)

// ---- sources and shapes ----

/// A network input. `host` inputs are i64 of rank <= 1 and readable on the host (sizes, scalars);
/// `content` holds their elements' ranges where known (empty: unknown).
struct Input {
  std::string name;
  TensorType type;
  bool host = false;
  Dims content;
  TORCHTRT_LAYER("input", "", "y") {
    on("name", self.name), on("type", self.type), on("host", self.host),
        on("content", self.content);
  }
};
struct Constant {
  Tensor value;
  TORCHTRT_LAYER("constant", "", "y") { on("value", self.value); }
};
/// i64[rank]; a host value.
struct ShapeOf {
  TORCHTRT_LAYER("shape_of", "x", "y") {}
};
/// start + i*step for i in 0..count-1. start, step: scalars of the result's dtype (f32, i32, i64);
/// count: host scalar.
struct Range {
  TORCHTRT_LAYER("range", "start step count", "y") {}
};
/// uniform in [a, b) or normal of mean a and deviation b; never comparable across engines.
struct Random {
  RandomKind distribution = RandomKind::uniform;
  double a = 0, b = 1;
  DType dtype = DType::f32;
  std::int64_t seed = 0;
  TORCHTRT_LAYER("random", "shape", "y") {
    on("distribution", self.distribution), on("a", self.a), on("b", self.b),
        on("dtype", self.dtype), on("seed", self.seed);
  }
};

// ---- pointwise ----

struct Unary {
  UnaryOp op{};
  TORCHTRT_LAYER("unary", "x", "y") { on("op", self.op); }
};
struct Activation {
  ActivationOp op{};
  double alpha = 0, beta = 0;
  TORCHTRT_LAYER("activation", "x", "y") {
    on("op", self.op), on("alpha", self.alpha), on("beta", self.beta);
  }
};
/// slope has x's rank and broadcasts into x.
struct PRelu {
  TORCHTRT_LAYER("prelu", "x slope", "y") {}
};
struct Binary {
  BinaryOp op{};
  TORCHTRT_LAYER("binary", "a b", "y") { on("op", self.op); }
};
struct Compare {
  CompareOp op{};
  TORCHTRT_LAYER("compare", "a b", "y") { on("op", self.op); }
};
struct Logical {
  LogicalOp op{};
  TORCHTRT_LAYER("logical", "a b", "y") { on("op", self.op); }
};
struct Select {
  TORCHTRT_LAYER("select", "condition a b", "y") {}
};
/// Floats to integers truncate toward zero; anything to bool is x != 0 (NaN is true).
struct Cast {
  DType to = DType::f32;
  TORCHTRT_LAYER("cast", "x", "y") { on("to", self.to); }
};
struct Identity {
  TORCHTRT_LAYER("identity", "x", "y") {}
};

// ---- reductions and scans ----

/// axes: not empty, sorted, unique. mean: floats only; any, all: bool only; the rest keep x's
/// dtype.
struct Reduce {
  ReduceOp op{};
  Ints axes;
  bool keepdims = false;
  TORCHTRT_LAYER("reduce", "x", "y") {
    on("op", self.op), on("axes", self.axes), on("keepdims", self.keepdims);
  }
};
struct Softmax {
  std::int64_t axis = 0;
  TORCHTRT_LAYER("softmax", "x", "y") { on("axis", self.axis); }
};
struct LogSoftmax {
  std::int64_t axis = 0;
  TORCHTRT_LAYER("log_softmax", "x", "y") { on("axis", self.axis); }
};
/// Sorted by value; k is a host scalar; indices are i64; the order of ties is unspecified.
struct TopK {
  std::int64_t axis = 0;
  bool largest = true;
  TORCHTRT_LAYER("topk", "x k", "values indices") {
    on("axis", self.axis), on("largest", self.largest);
  }
};
struct CumSum {
  std::int64_t axis = 0;
  bool exclusive = false, reverse = false;
  TORCHTRT_LAYER("cumsum", "x", "y") {
    on("axis", self.axis), on("exclusive", self.exclusive), on("reverse", self.reverse);
  }
};

// ---- linear algebra, attention, recurrence ----

/// Equal rank >= 2; batch dims equal or 1.
struct MatMul {
  bool transpose_a = false, transpose_b = false;
  TORCHTRT_LAYER("matmul", "a b", "y") {
    on("transpose_a", self.transpose_a), on("transpose_b", self.transpose_b);
  }
};
/// Lower-case letters, no blanks, with or without "->".
struct Einsum {
  std::string equation;
  TORCHTRT_LAYER("einsum", "xs*", "y") { on("equation", self.equation); }
};
/// x [N,C,spatial..] (1 to 3 spatial), weight [O,C/groups,k..], bias [O]; pads >= 0, per spatial
/// axis.
struct Conv {
  Ints stride, pad_begin, pad_end, dilation;
  std::int64_t groups = 1;
  TORCHTRT_LAYER("conv", "x weight bias?", "y") {
    on("stride", self.stride), on("pad_begin", self.pad_begin), on("pad_end", self.pad_end),
        on("dilation", self.dilation), on("groups", self.groups);
  }
};
/// Transposed convolution: weight [C,O/groups,k..]; out = (in-1)*stride + dilation*(k-1) + 1 - pads
/// + output_padding.
struct Deconv {
  Ints stride, pad_begin, pad_end, output_padding, dilation;
  std::int64_t groups = 1;
  TORCHTRT_LAYER("deconv", "x weight bias?", "y") {
    on("stride", self.stride), on("pad_begin", self.pad_begin), on("pad_end", self.pad_end),
        on("output_padding", self.output_padding), on("dilation", self.dilation),
        on("groups", self.groups);
  }
};
/// softmax(scale q k^T + mask) v. q [B,H,S,D], k [B,Hkv,T,D], v [B,Hkv,T,Dv], H a multiple of Hkv;
/// mask rank 4, broadcastable to [B,H,S,T], bool (true attends) or q's dtype (added). mask and
/// causal exclude each other. A row in which nothing attends gives zeros.
struct Attention {
  double scale = 1;
  Causal causal = Causal::none;
  TORCHTRT_LAYER("attention", "q k v mask?", "y") {
    on("scale", self.scale), on("causal", self.causal);
  }
};
/// Rotary embedding of x [B,H,S,D]; cos, sin [B,S,r/2], or [max,r/2] with positions [B,S]; r =
/// rotary_dim (0: D).
struct Rope {
  bool interleaved = false;
  std::int64_t rotary_dim = 0;
  TORCHTRT_LAYER("rope", "x cos sin positions?", "y") {
    on("interleaved", self.interleaved), on("rotary_dim", self.rotary_dim);
  }
};
/// cache [B,H,T,D] with update [B,H,S,D] written at index[b] (i64 [B]) along T.
struct KvUpdate {
  TORCHTRT_LAYER("kv_update", "cache update index", "y") {}
};
/// x [B,T,I] if batch_first else [T,B,I]; h0, c0 [dirs,B,H]; w [dirs,4H,I], r [dirs,4H,H], b
/// [dirs,4H] (both biases summed), gates in the order i f g o. y [B,T,dirs*H] (or [T,B,..]), h and
/// c [dirs,B,H]. lengths: i64 [B].
struct Lstm {
  std::int64_t hidden = 0;
  Direction direction = Direction::forward;
  bool batch_first = false;
  TORCHTRT_LAYER("lstm", "x h0 c0 w r b lengths?", "y h c") {
    on("hidden", self.hidden), on("direction", self.direction), on("batch_first", self.batch_first);
  }
};
/// As lstm with gates r z n: w [dirs,3H,I], r [dirs,3H,H], bw and br [dirs,3H];
/// n = tanh(Wn x + bwn + r*(Rn h + brn)).
struct Gru {
  std::int64_t hidden = 0;
  Direction direction = Direction::forward;
  bool batch_first = false;
  TORCHTRT_LAYER("gru", "x h0 w r bw br", "y h") {
    on("hidden", self.hidden), on("direction", self.direction), on("batch_first", self.batch_first);
  }
};
struct Rnn {
  std::int64_t hidden = 0;
  RnnActivation activation = RnnActivation::tanh;
  Direction direction = Direction::forward;
  bool batch_first = false;
  TORCHTRT_LAYER("rnn", "x h0 w r b", "y h") {
    on("hidden", self.hidden), on("activation", self.activation), on("direction", self.direction),
        on("batch_first", self.batch_first);
  }
};

// ---- pooling and images ----

/// x [N,C,spatial..]; sizes, including ceil_mode, are ATen's.
struct MaxPool {
  Ints window, stride, pad_begin, pad_end, dilation;
  bool ceil_mode = false;
  TORCHTRT_LAYER("max_pool", "x", "y") {
    on("window", self.window), on("stride", self.stride), on("pad_begin", self.pad_begin),
        on("pad_end", self.pad_end), on("dilation", self.dilation), on("ceil_mode", self.ceil_mode);
  }
};
struct AvgPool {
  Ints window, stride, pad_begin, pad_end;
  bool ceil_mode = false, count_include_pad = true;
  TORCHTRT_LAYER("avg_pool", "x", "y") {
    on("window", self.window), on("stride", self.stride), on("pad_begin", self.pad_begin),
        on("pad_end", self.pad_end), on("ceil_mode", self.ceil_mode),
        on("count_include_pad", self.count_include_pad);
  }
};
/// output_size per spatial axis.
struct AdaptiveAvgPool {
  Ints output_size;
  TORCHTRT_LAYER("adaptive_avg_pool", "x", "y") { on("output_size", self.output_size); }
};
/// Resizes the last axes of x; sizes: host i64, one per resized axis. `scales` (same length, or
/// empty) replaces out/in in the coordinate formula, as torch does when a scale_factor is given.
struct Resize {
  ResizeMode mode{};
  Coordinate coordinate{};
  NearestRounding rounding = NearestRounding::floor;
  double cubic_a = -0.75;
  std::vector<double> scales;
  TORCHTRT_LAYER("resize", "x sizes", "y") {
    on("mode", self.mode), on("coordinate", self.coordinate), on("rounding", self.rounding),
        on("cubic_a", self.cubic_a), on("scales", self.scales);
  }
};
/// x [N,C,H,W], grid [N,H',W',2].
struct GridSample {
  GridMode mode{};
  GridPadding padding{};
  bool align_corners = false;
  TORCHTRT_LAYER("grid_sample", "x grid", "y") {
    on("mode", self.mode), on("padding", self.padding), on("align_corners", self.align_corners);
  }
};
struct Lrn {
  std::int64_t size = 5;
  double alpha = 1e-4, beta = 0.75, k = 1;
  TORCHTRT_LAYER("lrn", "x", "y") {
    on("size", self.size), on("alpha", self.alpha), on("beta", self.beta), on("k", self.k);
  }
};

// ---- normalization ----

/// gamma, beta, mean, variance: [C]; channel axis 1.
struct BatchNorm {
  double eps = 1e-5;
  TORCHTRT_LAYER("batch_norm", "x gamma beta mean variance", "y") { on("eps", self.eps); }
};
/// Over the trailing axes from first_axis on; gamma, beta have x's rank (leading ones) and x's
/// dtype.
struct LayerNorm {
  std::int64_t first_axis = 0;
  double eps = 1e-5;
  TORCHTRT_LAYER("layer_norm", "x gamma? beta?", "y") {
    on("first_axis", self.first_axis), on("eps", self.eps);
  }
};
struct RmsNorm {
  std::int64_t first_axis = 0;
  double eps = 1e-6;
  TORCHTRT_LAYER("rms_norm", "x gamma?", "y") {
    on("first_axis", self.first_axis), on("eps", self.eps);
  }
};
/// gamma, beta: [C].
struct GroupNorm {
  std::int64_t groups = 1;
  double eps = 1e-5;
  TORCHTRT_LAYER("group_norm", "x gamma? beta?", "y") {
    on("groups", self.groups), on("eps", self.eps);
  }
};
struct InstanceNorm {
  double eps = 1e-5;
  TORCHTRT_LAYER("instance_norm", "x gamma? beta?", "y") { on("eps", self.eps); }
};

// ---- layout and indexing ----

/// shape: host i64 vector; at most one -1 (inferred); 0 is a size, not a copy.
struct Reshape {
  TORCHTRT_LAYER("reshape", "x shape", "y") {}
};
struct Transpose {
  Ints perm;
  TORCHTRT_LAYER("transpose", "x", "y") { on("perm", self.perm); }
};
/// Every squeezed dimension is 1.
struct Squeeze {
  Ints axes;
  TORCHTRT_LAYER("squeeze", "x", "y") { on("axes", self.axes); }
};
/// axes are positions in the result.
struct Unsqueeze {
  Ints axes;
  TORCHTRT_LAYER("unsqueeze", "x", "y") { on("axes", self.axes); }
};
/// shape: host i64 vector of x's rank; no -1.
struct Broadcast {
  TORCHTRT_LAYER("broadcast", "x shape", "y") {}
};
struct Concat {
  std::int64_t axis = 0;
  TORCHTRT_LAYER("concat", "xs*", "y") { on("axis", self.axis); }
};
/// Static sizes that sum to the dimension.
struct Split {
  std::int64_t axis = 0;
  Ints sizes;
  TORCHTRT_LAYER("split", "x", "ys*") { on("axis", self.axis), on("sizes", self.sizes); }
};
/// y[.., i, ..] = x[.., start + i*step, ..] for i < size, per named axis; in bounds. start, size,
/// step: host vectors, one element per axis; step != 0.
struct Slice {
  Ints axes;
  TORCHTRT_LAYER("slice", "x start size step", "y") { on("axes", self.axes); }
};
/// begin, end: host vectors of x's rank, >= 0; value: scalar of x's dtype (constant mode; absent is
/// 0). reflect does not repeat the border and needs amounts < dim.
struct Pad {
  PadMode mode{};
  TORCHTRT_LAYER("pad", "x begin end value?", "y") { on("mode", self.mode); }
};
/// repeats: host vector of x's rank.
struct Tile {
  TORCHTRT_LAYER("tile", "x repeats", "y") {}
};
struct Flip {
  Ints axes;
  TORCHTRT_LAYER("flip", "x", "y") { on("axes", self.axes); }
};
struct Roll {
  Ints shifts, axes;
  TORCHTRT_LAYER("roll", "x", "y") { on("shifts", self.shifts), on("axes", self.axes); }
};
/// Reverses the first lengths[b] entries along seq_axis.
struct ReverseSequence {
  std::int64_t batch_axis = 0, seq_axis = 1;
  TORCHTRT_LAYER("reverse_sequence", "x lengths", "y") {
    on("batch_axis", self.batch_axis), on("seq_axis", self.seq_axis);
  }
};
/// depth_first is torch's pixel_shuffle order.
struct DepthToSpace {
  std::int64_t block = 1;
  DepthOrder order{};
  TORCHTRT_LAYER("depth_to_space", "x", "y") { on("block", self.block), on("order", self.order); }
};
struct SpaceToDepth {
  std::int64_t block = 1;
  DepthOrder order{};
  TORCHTRT_LAYER("space_to_depth", "x", "y") { on("block", self.block), on("order", self.order); }
};
/// Indices of the gathers and scatters are i32 or i64 and within 0..dim-1: importers normalize
/// negative ones.
struct Gather {
  std::int64_t axis = 0, batch_dims = 0;
  TORCHTRT_LAYER("gather", "x indices", "y") {
    on("axis", self.axis), on("batch_dims", self.batch_dims);
  }
};
/// As torch.gather with indices' dims equal to x's except along axis.
struct GatherElements {
  std::int64_t axis = 0;
  TORCHTRT_LAYER("gather_elements", "x indices", "y") { on("axis", self.axis); }
};
struct GatherNd {
  std::int64_t batch_dims = 0;
  TORCHTRT_LAYER("gather_nd", "x indices", "y") { on("batch_dims", self.batch_dims); }
};
struct ScatterElements {
  std::int64_t axis = 0;
  ScatterReduce reduction{};
  TORCHTRT_LAYER("scatter_elements", "x indices updates", "y") {
    on("axis", self.axis), on("reduction", self.reduction);
  }
};
struct ScatterNd {
  ScatterReduce reduction{};
  TORCHTRT_LAYER("scatter_nd", "x indices updates", "y") { on("reduction", self.reduction); }
};
/// on, off: scalars of the result's dtype; the new axis is at `axis`.
struct OneHot {
  std::int64_t depth = 1, axis = 0;
  TORCHTRT_LAYER("one_hot", "indices on off", "y") {
    on("depth", self.depth), on("axis", self.axis);
  }
};
/// i64 [rank, n] in lexical order; n depends on the data.
struct NonZero {
  TORCHTRT_LAYER("non_zero", "x", "y") {}
};
/// boxes [B,n,4], scores [B,classes,n]; gives i64 [m,3] (batch, class, box) ordered by batch,
/// class, falling score.
struct Nms {
  std::int64_t max_per_class = 0;
  double iou_threshold = 0.5, score_threshold = 0;
  BoxForm form{};
  TORCHTRT_LAYER("nms", "boxes scores", "y") {
    on("max_per_class", self.max_per_class), on("iou_threshold", self.iou_threshold),
        on("score_threshold", self.score_threshold), on("form", self.form);
  }
};

// ---- quantization and control ----

/// clamp(round_half_even(x / scale) + zero_point) to the range of `to`; scale and zero_point (i32,
/// absent: 0) are scalars, or vectors along `axis` (-1: per tensor). With a zero point that is odd
/// a tie may go to either side.
struct Quantize {
  DType to = DType::i8;
  std::int64_t axis = -1;
  TORCHTRT_LAYER("quantize", "x scale zero_point?", "y") {
    on("to", self.to), on("axis", self.axis);
  }
};
/// (x - zero_point) * scale.
struct Dequantize {
  DType to = DType::f32;
  std::int64_t axis = -1;
  TORCHTRT_LAYER("dequantize", "x scale zero_point?", "y") {
    on("to", self.to), on("axis", self.axis);
  }
};
/// Runs `body` while i < trip_count and its condition holds. Body inputs: i (i64 scalar), then the
/// carried values, then the captured ones; outputs: the condition for the next trip (bool scalar),
/// the next carried values, then one value per scan output (stacked along a new axis 0). Results:
/// last carried values, then scans. operands: carried*, captured* in `values`.
struct Loop {
  std::int64_t carried = 0;
  std::shared_ptr<const Network> body;
  TORCHTRT_LAYER("loop", "trip_count condition values*", "ys*") {
    on("carried", self.carried), on("body", self.body);
  }
};
/// condition: bool scalar; both branches take all captured values and give the same dtypes and
/// ranks.
struct If {
  std::shared_ptr<const Network> then_branch, else_branch;
  TORCHTRT_LAYER("if", "condition captured*", "ys*") {
    on("then", self.then_branch), on("else", self.else_branch);
  }
};
/// Fails the run with `message` when the host bool is false; passes x through.
struct Assert {
  std::string message;
  TORCHTRT_LAYER("assert", "x condition", "y") { on("message", self.message); }
};

// ---- of one engine ----

/// An operator of a library that TensorRT loads, by its name in TensorRT's registry. The last
/// `shape_inputs` of xs are sizes that the host computes. What it computes is unknown here, so its
/// results have the types that its author gives.
struct Plugin {
  std::string plugin, version, ns;
  std::vector<PluginField> fields;
  std::vector<TensorType> results;
  std::int64_t shape_inputs = 0;
  PluginInterface interface = PluginInterface::v3;
  TORCHTRT_LAYER("plugin", "xs*", "ys*") {
    // "plugin" and not "name", which a network's digest leaves out.
    on("plugin", self.plugin), on("version", self.version), on("namespace", self.ns),
        on("fields", self.fields), on("results", self.results),
        on("shape_inputs", self.shape_inputs), on("interface", self.interface);
  }
};

using Layer =
    std::variant<Input, Constant, ShapeOf, Range, Random, Unary, Activation, PRelu, Binary, Compare,
                 Logical, Select, Cast, Identity, Reduce, Softmax, LogSoftmax, TopK, CumSum, MatMul,
                 Einsum, Conv, Deconv, Attention, Rope, KvUpdate, Lstm, Gru, Rnn, MaxPool, AvgPool,
                 AdaptiveAvgPool, Resize, GridSample, Lrn, BatchNorm, LayerNorm, RmsNorm, GroupNorm,
                 InstanceNorm, Reshape, Transpose, Squeeze, Unsqueeze, Broadcast, Concat, Split,
                 Slice, Pad, Tile, Flip, Roll, ReverseSequence, DepthToSpace, SpaceToDepth, Gather,
                 GatherElements, GatherNd, ScatterElements, ScatterNd, OneHot, NonZero, Nms,
                 Quantize, Dequantize, Loop, If, Assert, Plugin>;

/// The kind's name, for messages and reports.
inline std::string_view kind_of(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kind; }, layer);
}

}  // namespace torch_tensorrt::core
