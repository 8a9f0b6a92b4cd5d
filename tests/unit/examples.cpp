#include "examples.h"

#include "core/builder.h"

namespace examples {
namespace {

using namespace torch_tensorrt::core;

Extent dynamic() { return Extent::range(1, 4, 8); }
TensorType f32(Dims dims) { return {DType::f32, std::move(dims)}; }
TensorType i64(Dims dims) { return {DType::i64, std::move(dims)}; }
TensorType boolean(Dims dims) { return {DType::b, std::move(dims)}; }

class Examples {
 public:
  /// A network of one layer whose operands are inputs of these types.
  void add(Layer layer, const std::vector<TensorType>& operands) {
    Network network;
    NetworkBuilder net(network);
    std::vector<Value> values;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      values.push_back(net.input("x" + std::to_string(i), operands[i]));
    }
    finish(std::move(network), std::move(layer), values);
  }

  /// As above; after the inputs come host operands.
  void add_host(Layer layer, const std::vector<TensorType>& operands,
                const std::vector<Sizes>& host) {
    Network network;
    NetworkBuilder net(network);
    std::vector<Value> values;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      values.push_back(net.input("x" + std::to_string(i), operands[i]));
    }
    for (const Sizes& sizes : host) values.push_back(net.vector(sizes));
    finish(std::move(network), std::move(layer), values);
  }

  void finish(Network network, Layer layer, const std::vector<Value>& operands) {
    std::string kind(kind_of(layer));
    std::vector<ValueId> ids;
    for (const Value& value : operands) ids.push_back(value.id());
    const std::vector<ValueId> results =
        network.add(std::move(layer), ids, {"body." + kind, "model.py:41"});
    for (std::size_t i = 0; i < results.size(); ++i)
      network.mark_output(results[i], "y" + std::to_string(i));
    list.push_back({std::move(kind), std::move(network)});
  }

  std::vector<Example> list;
};

Tensor tensor(DType dtype, Ints dims, std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::byte>((i * 7) % 60);
  return {dtype, std::move(dims), Blob::of(std::move(data))};
}

void add_sources(Examples& e) {
  e.finish({}, Input{"an \"odd\" name\n", i64({2}), true, {Extent(3), Extent::range(1, 2, 3)}}, {});
  e.finish({}, Constant{tensor(DType::f32, {2, 3}, 24)}, {});
  e.finish({}, Constant{tensor(DType::f16, {40}, 80)}, {});
  e.finish({}, Constant{tensor(DType::i4, {3}, 2)}, {});
  e.finish({}, Constant{tensor(DType::b, {0}, 0)}, {});
  e.add(ShapeOf{}, {f32({dynamic(), 3})});
  Network network;
  NetworkBuilder net(network);
  const std::vector<Value> operands = {net.scalar_i64(2), net.scalar_i64(3),
                                       net.value(net.size(net.input("x", f32({dynamic()})), 0))};
  e.finish(std::move(network), Range{}, operands);
  e.add_host(Random{RandomKind::normal, 0.1, 2.5, DType::f16, 7}, {}, {{2, 3}});
}

void add_pointwise(Examples& e) {
  const TensorType x = f32({dynamic(), 3});
  e.add(Unary{UnaryOp::exp}, {x});
  e.add(Activation{ActivationOp::leaky_relu, 0.01, 0.5}, {x});
  e.add(PRelu{}, {x, f32({1, 3})});
  e.add(Binary{BinaryOp::floor_div}, {x, f32({1, 3})});
  e.add(Compare{CompareOp::ge}, {x, x});
  e.add(Logical{LogicalOp::logical_xor}, {boolean({2}), boolean({1})});
  e.add(Select{}, {boolean({1, 3}), x, x});
  e.add(Cast{DType::bf16}, {x});
  e.add(Identity{}, {x});
}

void add_reductions(Examples& e) {
  const TensorType x = f32({dynamic(), 3});
  e.add(Reduce{ReduceOp::mean, {0, 1}, true}, {x});
  e.add(Softmax{1}, {x});
  e.add(LogSoftmax{1}, {x});
  e.add(CumSum{1, true, true}, {x});
  Network network;
  NetworkBuilder net(network);
  const std::vector<Value> operands = {net.input("x", x), net.scalar_i64(2)};
  e.finish(std::move(network), TopK{1, false}, operands);
}

void add_linear(Examples& e) {
  e.add(MatMul{false, true}, {f32({dynamic(), 2, 3}), f32({1, 5, 3})});
  e.add(Einsum{"bij,bjk->bik"}, {f32({dynamic(), 2, 3}), f32({dynamic(), 3, 5})});
  e.add(Conv{{2, 1}, {1, 0}, {1, 0}, {1, 1}, 2},
        {f32({dynamic(), 4, 8, 8}), f32({6, 2, 3, 3}), f32({6})});
  e.add(Deconv{{2}, {1}, {0}, {1}, {1}, 1}, {f32({1, 4, dynamic()}), f32({4, 6, 3})});
  e.add(Attention{0.125, Causal::none},
        {f32({2, 4, dynamic(), 8}), f32({2, 2, 5, 8}), f32({2, 2, 5, 6}), boolean({1, 1, 1, 5})});
  e.add(Attention{0.5, Causal::lower_right},
        {f32({2, 4, 3, 8}), f32({2, 4, 5, 8}), f32({2, 4, 5, 8})});
  e.add(Rope{true, 4}, {f32({2, 4, 3, 8}), f32({9, 2}), f32({9, 2}), i64({2, 3})});
  e.add(KvUpdate{}, {f32({2, 4, 9, 8}), f32({2, 4, 1, 8}), i64({2})});
  e.add(Lstm{5, Direction::bidirectional, true},
        {f32({dynamic(), 7, 3}), f32({2, dynamic(), 5}), f32({2, dynamic(), 5}), f32({2, 20, 3}),
         f32({2, 20, 5}), f32({2, 20}), i64({dynamic()})});
  e.add(Gru{5, Direction::reverse, true}, {f32({2, 7, 3}), f32({1, 2, 5}), f32({1, 15, 3}),
                                           f32({1, 15, 5}), f32({1, 15}), f32({1, 15})});
  e.add(Rnn{5, RnnActivation::relu, Direction::reverse, true},
        {f32({2, 7, 3}), f32({1, 2, 5}), f32({1, 5, 3}), f32({1, 5, 5}), f32({1, 5})});
}

void add_images(Examples& e) {
  const TensorType x = f32({dynamic(), 4, 8, 8});
  e.add(MaxPool{{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 2}, true}, {x});
  e.add(AvgPool{{3, 3}, {2, 2}, {1, 1}, {0, 0}, true, false}, {x});
  e.add(AdaptiveAvgPool{{1, 2}}, {x});
  e.add_host(
      Resize{ResizeMode::linear, Coordinate::half_pixel, NearestRounding::half_up, -0.5, {2, 1.5}},
      {x}, {{16, 12}});
  e.add(GridSample{GridMode::cubic, GridPadding::reflection, true}, {x, f32({dynamic(), 3, 5, 2})});
  e.add(Lrn{3, 0.1, 0.5, 2}, {x});
  e.add(BatchNorm{1e-3}, {x, f32({4}), f32({4}), f32({4}), f32({4})});
  e.add(LayerNorm{3, 1e-6}, {x, f32({1, 1, 1, 8}), f32({1, 1, 1, 8})});
  e.add(RmsNorm{3, 1e-5}, {x, f32({1, 1, 1, 8})});
  e.add(GroupNorm{2, 1e-6}, {x, f32({4})});
  e.add(InstanceNorm{1e-6}, {x});
}

void add_layout(Examples& e) {
  const TensorType x = f32({dynamic(), 1, 6});
  e.add_host(Reshape{}, {x}, {{-1, 3, 2}});
  e.add(Transpose{{2, 0, 1}}, {x});
  e.add(Squeeze{{1}}, {x});
  e.add(Unsqueeze{{0, 4}}, {x});
  e.add_host(Broadcast{}, {f32({1, 6})}, {{5, 6}});
  e.add(Concat{2}, {x, f32({dynamic(), 1, 2})});
  e.add(Split{2, {1, 2, 3}}, {x});
  e.add_host(Slice{{2, 0}}, {x}, {{5, 0}, {3, 1}, {-2, 1}});
  Network network;
  NetworkBuilder net(network);
  const std::vector<Value> operands = {net.input("x", x), net.ints({0, 0, 1}), net.ints({0, 1, 2}),
                                       net.scalar(0.5, DType::f32)};
  e.finish(std::move(network), Pad{PadMode::constant}, operands);
  e.add_host(Pad{PadMode::reflect}, {x}, {{0, 0, 1}, {0, 0, 2}});
  e.add_host(Tile{}, {x}, {{1, 2, 3}});
  e.add(Flip{{0, 2}}, {x});
  e.add(Roll{{1, -2}, {0, 2}}, {x});
  e.add(ReverseSequence{1, 2}, {x, i64({1})});
  e.add(DepthToSpace{2, DepthOrder::blocks_first}, {f32({1, 8, dynamic(), 3})});
  e.add(SpaceToDepth{2, DepthOrder::blocks_first}, {f32({1, 8, 4, 6})});
}

void add_index(Examples& e) {
  const TensorType x = f32({4, 6});
  e.add(Gather{1, 1}, {x, i64({4, 3})});
  e.add(GatherElements{1}, {x, i64({4, dynamic()})});
  e.add(GatherNd{1}, {f32({4, 6, 5}), i64({4, 2, 1})});
  e.add(ScatterElements{1, ScatterReduce::mean}, {x, i64({4, 2}), f32({4, 2})});
  e.add(ScatterNd{ScatterReduce::sum}, {x, i64({3, 1}), f32({3, 6})});
  e.add(OneHot{5, 1}, {i64({4}), f32({}), f32({})});
  e.add(NonZero{}, {x});
  e.add(Nms{3, 0.4, 0.1, BoxForm::center_size}, {f32({2, 9, 4}), f32({2, 3, 9})});
}

/// i, x, step -> condition, x + step, x
std::shared_ptr<const Network> loop_body() {
  auto body = std::make_shared<Network>();
  NetworkBuilder net(*body);
  const Value i = net.input("i", i64({}));
  const Value x = net.input("x", f32({3}));
  const Value step = net.input("step", f32({3}));
  body->mark_output(net.compare(CompareOp::lt, i, net.scalar_i64(5)).id(), "condition");
  body->mark_output((x + step).id(), "x");
  body->mark_output(net.unary(UnaryOp::neg, x).id(), "scan");
  return body;
}

std::shared_ptr<const Network> branch(double factor) {
  auto body = std::make_shared<Network>();
  NetworkBuilder net(*body);
  const Value x = net.input("x", f32({3}));
  body->mark_output((x * factor).id(), "y");
  return body;
}

void add_control(Examples& e) {
  e.add(Quantize{DType::f8, 1}, {f32({4, 6}), f32({6})});
  e.add(Dequantize{DType::f16, 1}, {{DType::i8, {4, 6}}, f32({6})});
  Network network;
  NetworkBuilder net(network);
  const std::vector<Value> operands = {net.scalar_i64(4), net.input("go", boolean({})),
                                       net.input("x", f32({3})), net.input("step", f32({3}))};
  e.finish(std::move(network), Loop{1, loop_body()}, operands);
  e.add(If{branch(2), branch(-1)}, {boolean({}), f32({3})});
  e.add(Assert{"sizes must match"}, {f32({3}), boolean({})});
  e.add(Plugin{"Resample",
               "2",
               "mylib",
               {{"mode", "\"cubic\""},
                {"scale", tensor(DType::f64, {}, 8)},
                {"taps", tensor(DType::f16, {40}, 80)},
                {"empty", tensor(DType::i32, {0}, 0)}},
               {f32({dynamic(), 3}), i64({})},
               1,
               PluginInterface::v2},
        {f32({dynamic(), 3}), i64({2})});
}

}  // namespace

std::vector<Example> every_kind() {
  Examples e;
  add_sources(e);
  add_pointwise(e);
  add_reductions(e);
  add_linear(e);
  add_images(e);
  add_layout(e);
  add_index(e);
  add_control(e);
  return std::move(e.list);
}

}  // namespace examples
