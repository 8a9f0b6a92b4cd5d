#include <cmath>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

double attention_scale(OpContext& op, Value query) {
  if (const auto scale = op.optional_number("scale")) return *scale;
  const core::Extent& depth = query.dim(query.rank() - 1);
  if (!depth.is_static()) {
    throw op.refuse(
        "the last dimension of query is dynamic, expected a static one or a given scale");
  }
  return 1 / std::sqrt(static_cast<double>(depth.min));
}

/// q, k, v in the layer's form [batch, heads, length, depth].
Value four_axes(Value x) {
  if (x.rank() > 4) return merged(x, 0, x.rank() - 3);
  return x.builder().align_rank(x, 4);
}

/// The mask in rank 4; `query` still has its own rank.
Value mask_of_four_axes(Value mask, Value query) {
  auto& net = mask.builder();
  const int rank = query.rank();
  if (rank <= 4 || mask.rank() <= 3) return net.align_rank(mask, 4);
  // Batch axes that become one have to be whole.
  const Value aligned = net.align_rank(mask, rank);
  Sizes shape = net.sizes(aligned);
  for (int i = 0; i < rank - 3; ++i) shape[static_cast<std::size_t>(i)] = net.size(query, i);
  return four_axes(expanded(aligned, shape));
}

struct AttentionInputs {
  Value query, key, value;
  std::optional<Value> mask;
  bool causal = false;
  double scale = 1;
};

AttentionInputs attention_inputs(OpContext& op, std::string_view mask_name) {
  if (op.number("dropout_p") != 0) {
    throw op.refuse("dropout_p is ", op.number("dropout_p"),
                    ", expected 0: dropped weights are random");
  }
  AttentionInputs in{op.value("query"), op.value("key"), op.value("value"), std::nullopt, false, 1};
  if (in.query.rank() < 2) {
    throw op.refuse("query has ", in.query.rank(), " dimensions, expected at least 2");
  }
  in.scale = attention_scale(op, in.query);
  in.causal = op.flag("is_causal");
  if (has_argument(op, mask_name)) in.mask = op.optional(mask_name);
  if (in.mask && in.mask->dtype() != DType::b) {
    in.mask = op.net().cast(*in.mask, in.query.dtype());
  }
  return in;
}

Value attention_layer(const AttentionInputs& in) {
  auto& net = in.query.builder();
  const core::Attention layer{in.scale, in.causal ? core::Causal::upper_left : core::Causal::none};
  const Value mask = in.mask ? mask_of_four_axes(*in.mask, in.query) : Value();
  const Value y =
      net.one(layer, {four_axes(in.query), four_axes(in.key), four_axes(in.value), mask});
  const int rank = in.query.rank();
  if (rank == 4) return y;
  if (rank < 4) return net.squeeze(y, rank == 3 ? core::Ints{0} : core::Ints{0, 1});
  Sizes shape = net.sizes(in.query);
  shape.back() = net.size(in.value, rank - 1);
  return reshaped(y, shape);
}

Value scaled_dot_product_attention(OpContext& op) {
  return attention_layer(attention_inputs(op, "attn_mask"));
}

/// The forms that PyTorch's kernels have: only the first result is of use in inference.
template <int kResults>
std::vector<Bound> attention_kernel(OpContext& op) {
  const std::string_view mask = has_argument(op, "attn_bias") ? "attn_bias" : "attn_mask";
  std::vector<Bound> results(kResults, unused());
  for (std::size_t i = 1; i < kResults; ++i) {
    if (is_used(op.node(), i)) {
      throw op.refuse("its result ", i, " is used, expected only the attention itself (result 0)");
    }
  }
  results[0] = attention_layer(attention_inputs(op, mask));
  return results;
}

// ---- multi-head attention as one operator ----

struct MultiHead {
  Value query, key, value;
  bool shared = false;  ///< query, key and value are one tensor
  std::int64_t heads = 1;
  std::optional<Value> mask;  ///< rank 4, true where nothing attends
};

/// [batch, length, E] as [batch, heads, length, E / heads].
Value split_heads(Value x, std::int64_t heads) {
  auto& net = x.builder();
  const Size depth = net.floor_div(net.size(x, 2), heads);
  return net.transpose(reshaped(x, {net.size(x, 0), net.size(x, 1), heads, depth}), {0, 2, 1, 3});
}

Value join_heads(Value x) { return merged(x.builder().transpose(x, {0, 2, 1, 3}), 2, 2); }

/// Mask types: 0 [length, length], 1 key padding [batch, length], 2 [batch, heads, length, length].
std::optional<Value> multi_head_mask(OpContext& op) {
  const std::optional<Value> given = op.optional("mask");
  if (!given) return std::nullopt;
  const Value mask = as_bool(*given);
  const std::int64_t kind = op.optional_integer("mask_type").value_or(mask.rank() == 4 ? 2 : -1);
  if (kind == 0 || kind == 2) return op.net().align_rank(mask, 4);
  if (kind == 1) return op.net().unsqueeze(mask, {1, 2});
  throw op.refuse("mask_type is ", kind, ", expected 0, 1 or 2");
}

/// The projections of query, key and value, heads split.
std::array<Value, 3> projections(OpContext& op, const MultiHead& in) {
  auto& net = op.net();
  const Value weight = op.value("qkv_weight"), bias = op.value("qkv_bias");
  const std::int64_t width = op.integer("embed_dim");
  std::array<Value, 3> out;
  if (in.shared) {
    const Value all = linear_layer(in.query, weight, bias);
    for (int i = 0; i < 3; ++i) {
      out[static_cast<std::size_t>(i)] = split_heads(sliced(all, 2, i * width, width), in.heads);
    }
    return out;
  }
  const Value sources[] = {in.query, in.key, in.value};
  for (int i = 0; i < 3; ++i) {
    const Value part = net.slice(weight, 0, i * width, width);
    const Value y = linear_layer(sources[i], part, net.slice(bias, 0, i * width, width));
    out[static_cast<std::size_t>(i)] = split_heads(y, in.heads);
  }
  return out;
}

/// The attention's weights, [batch, heads, length, length].
Value attention_weights(const MultiHead& in, Value query, Value key, double scale) {
  Value scores = query.builder().matmul(query * scale, key, false, true);
  if (in.mask) scores = select(*in.mask, like(scores, -INFINITY), scores);
  return query.builder().softmax(scores, 3);
}

struct MultiHeadResult {
  Value y;
  std::optional<Value> weights;
};
MultiHeadResult multi_head(OpContext& op, const MultiHead& in, bool need_weights) {
  auto& net = op.net();
  const auto [query, key, value] = projections(op, in);
  const double scale = 1 / std::sqrt(static_cast<double>(op.integer("embed_dim") / in.heads));
  MultiHeadResult out;
  if (need_weights) {
    out.weights = attention_weights(in, query, key, scale);
    out.y = net.matmul(*out.weights, value);
  } else {
    const Value mask = in.mask ? unary(UnaryOp::logical_not, *in.mask) : Value();
    out.y = net.one(core::Attention{scale, core::Causal::none}, {query, key, value, mask});
  }
  out.y = linear_layer(join_heads(out.y), op.value("proj_weight"), op.value("proj_bias"));
  return out;
}

/// Is the same value given for both arguments?
bool same_argument(OpContext& op, std::string_view a, std::string_view b) {
  return op.value(a).id() == op.value(b).id();
}

std::vector<Bound> native_multi_head_attention(OpContext& op) {
  MultiHead in{op.value("query"),      op.value("key"),    op.value("value"), false,
               op.integer("num_head"), multi_head_mask(op)};
  in.shared = same_argument(op, "query", "key") && same_argument(op, "query", "value");
  const bool weights_used = is_used(op.node(), 1);
  const bool need_weights = op.flag("need_weights") && weights_used;
  if (weights_used && !need_weights) {
    throw op.refuse("its result 1 is used although need_weights is False, which makes it None");
  }
  const MultiHeadResult result = multi_head(op, in, need_weights);
  if (!need_weights) return {result.y, unused()};
  if (!op.flag("average_attn_weights")) return {result.y, *result.weights};
  return {result.y, op.net().reduce(ReduceOp::mean, *result.weights, {1}, false)};
}

/// nn.TransformerEncoderLayer in one operator.
Value transformer_encoder_layer(OpContext& op) {
  const double eps = op.number("eps");
  const bool norm_first = op.flag("norm_first");
  const auto norm = [&](Value x, std::string_view weight, std::string_view bias) {
    return layer_norm(x, 1, op.value(weight), op.value(bias), eps);
  };
  const auto attend = [&](Value x) {
    return multi_head(op, {x, x, x, true, op.integer("num_heads"), multi_head_mask(op)}, false).y;
  };
  const auto feed_forward = [&](Value x) {
    const Value hidden = linear_layer(x, op.value("ffn_weight_1"), op.value("ffn_bias_1"));
    const auto kind = op.flag("use_gelu") ? ActivationOp::gelu_erf : ActivationOp::relu;
    return linear_layer(activation(kind, hidden), op.value("ffn_weight_2"), op.value("ffn_bias_2"));
  };
  Value x = op.value("src");
  if (norm_first) {
    x = x + attend(norm(x, "norm_weight_1", "norm_bias_1"));
    return x + feed_forward(norm(x, "norm_weight_2", "norm_bias_2"));
  }
  x = norm(x + attend(x), "norm_weight_1", "norm_bias_1");
  return norm(x + feed_forward(x), "norm_weight_2", "norm_bias_2");
}

}  // namespace

void add_attention_ops(OpTable& table) {
  table.add<scaled_dot_product_attention>(
      "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? "
      "attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool "
      "enable_gqa=False) -> Tensor");
  table.add(
      "aten::_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? "
      "attn_mask=None, float dropout_p=0., bool is_causal=False, Tensor? dropout_mask=None, *, "
      "float? scale=None, bool enable_gqa=False) -> (Tensor, Tensor)",
      attention_kernel<2>);
  table.add(
      "aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, "
      "float dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> "
      "(Tensor output, Tensor logsumexp)",
      attention_kernel<2>);
  table.add(
      "aten::_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, "
      "Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0., bool is_causal=False, *, "
      "float? scale=None) -> (Tensor output, Tensor log_sumexp, Tensor philox_seed, Tensor "
      "philox_offset)",
      attention_kernel<4>);
  table
      .add(
          "aten::_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float "
          "dropout_p=0., bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) "
          "-> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, "
          "SymInt max_k, Tensor rng_state, Tensor unused, Tensor debug_attn_mask)",
          attention_kernel<9>)
      .also("aten::_scaled_dot_product_cudnn_attention")
      .also("aten::_scaled_dot_product_fused_attention_overrideable");
  table.add(
      "aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, "
      "int num_head, Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, "
      "Tensor? mask=None, bool need_weights=True, bool average_attn_weights=True, int? "
      "mask_type=None) -> (Tensor, Tensor)",
      native_multi_head_attention);
  table.add<transformer_encoder_layer>(
      "aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor "
      "qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool "
      "norm_first, float eps, Tensor norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, "
      "Tensor norm_bias_2, Tensor ffn_weight_1, Tensor ffn_bias_1, Tensor ffn_weight_2, Tensor "
      "ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
