// The network, its loops and its conditionals.

#include "core/text.h"
#include "engines/tensorrt/native/class_table.h"

namespace torch_tensorrt::engines::tensorrt {

using namespace nvinfer1;  // NOLINT: this file is a list of its names

namespace {

Object mark_output(const Call& call, void* self) {
  auto& tensor = call.as<ITensor&>(call.argument(0));
  static_cast<INetworkDefinition*>(self)->markOutput(tensor);
  check_kept(call, tensor.isNetworkOutput());
  return {};
}

template <auto add>
Object add_of_list(const Call& call, void* self) {
  const std::vector<ITensor*> inputs = call.tensors(call.argument(0));
  return checked(call, (static_cast<INetworkDefinition*>(self)->*add)(
                           inputs.data(), static_cast<std::int32_t>(inputs.size())));
}

Object add_einsum(const Call& call, void* self) {
  const std::vector<ITensor*> inputs = call.tensors(call.argument(0));
  return checked(call, static_cast<INetworkDefinition*>(self)->addEinsum(
                           inputs.data(), static_cast<std::int32_t>(inputs.size()),
                           call.as<const char*>(call.argument(1))));
}

#ifndef TRT_MAJOR_RTX
Object add_plugin_v2(const Call& call, void* self) {
  const std::vector<ITensor*> inputs = call.tensors(call.argument(0));
  return checked(call, static_cast<INetworkDefinition*>(self)->addPluginV2(
                           inputs.data(), static_cast<std::int32_t>(inputs.size()),
                           call.plugin<IPluginV2>(call.argument(1))));
}

Object add_plugin_v3(const Call& call, void* self) {
  const std::vector<ITensor*> inputs = call.tensors(call.argument(0));
  const std::vector<ITensor*> shapes = call.tensors(call.argument(1));
  return checked(call, static_cast<INetworkDefinition*>(self)->addPluginV3(
                           inputs.data(), static_cast<std::int32_t>(inputs.size()), shapes.data(),
                           static_cast<std::int32_t>(shapes.size()),
                           call.plugin<IPluginV3>(call.argument(2))));
}
#endif

Object add_constant(const Call& call, void* self) {
  const Dims shape = call.as<Dims>(call.argument(0));
  nvinfer1::Weights weights = call.as<nvinfer1::Weights>(call.argument(1));
  std::int64_t count = 1;
  for (std::int32_t i = 0; i < shape.nbDims; ++i) count *= shape.d[i];
  // The bytes of packed types hold up to one element more.
  if (weights.count != count && weights.count != count + count % 2) {
    call.defect(core::text("the shape has ", count, " elements, the weights ", weights.count));
  }
  weights.count = count;
  return checked(call, static_cast<INetworkDefinition*>(self)->addConstant(shape, weights));
}

}  // namespace

template <>
constexpr auto methods_of<INetworkDefinition> = members({
    {"add_activation", method<&INetworkDefinition::addActivation>},
    {"add_assertion", method<&INetworkDefinition::addAssertion>},
    {"add_attention", method<&INetworkDefinition::addAttention>},
    {"add_cast", method<&INetworkDefinition::addCast>},
    {"add_concatenation", add_of_list<&INetworkDefinition::addConcatenation>},
    {"add_constant", add_constant},
    {"add_convolution_nd", method<&INetworkDefinition::addConvolutionNd, None{}>},
    {"add_cumulative", method<&INetworkDefinition::addCumulative>},
    {"add_deconvolution_nd", method<&INetworkDefinition::addDeconvolutionNd, None{}>},
    {"add_dequantize",
     method<overload<ITensor&, ITensor&, DataType>(&INetworkDefinition::addDequantize)>},
    {"add_einsum", add_einsum},
    {"add_elementwise", method<&INetworkDefinition::addElementWise>},
    {"add_fill",
     method<overload<const Dims&, FillOperation, DataType>(&INetworkDefinition::addFill),
            DataType::kFLOAT>},
    {"add_gather_v2", method<&INetworkDefinition::addGatherV2>},
    {"add_grid_sample", method<&INetworkDefinition::addGridSample>},
    {"add_identity", method<&INetworkDefinition::addIdentity>},
    {"add_if_conditional", method<&INetworkDefinition::addIfConditional>},
    {"add_input", method<&INetworkDefinition::addInput>},
    {"add_kv_cache_update", method<&INetworkDefinition::addKVCacheUpdate>},
    {"add_loop", method<&INetworkDefinition::addLoop>},
    {"add_lrn", method<&INetworkDefinition::addLRN>},
    {"add_matrix_multiply", method<&INetworkDefinition::addMatrixMultiply>},
    {"add_nms",
     method<overload<ITensor&, ITensor&, ITensor&, DataType>(&INetworkDefinition::addNMS),
            DataType::kINT32>},
    {"add_non_zero",
     method<overload<ITensor&, DataType>(&INetworkDefinition::addNonZero), DataType::kINT32>},
    {"add_normalization", method<&INetworkDefinition::addNormalization>},
    {"add_normalization_v2", method<&INetworkDefinition::addNormalizationV2>},
    {"add_one_hot", method<&INetworkDefinition::addOneHot>},
    {"add_parametric_relu", method<&INetworkDefinition::addParametricReLU>},
#ifndef TRT_MAJOR_RTX  // its networks take no plugins
    {"add_plugin_v2", add_plugin_v2},
    {"add_plugin_v3", add_plugin_v3},
#endif
    {"add_pooling_nd", method<&INetworkDefinition::addPoolingNd>},
    {"add_quantize",
     method<overload<ITensor&, ITensor&, DataType>(&INetworkDefinition::addQuantize)>},
    {"add_reduce", method<&INetworkDefinition::addReduce>},
    {"add_resize", method<&INetworkDefinition::addResize>},
    {"add_reverse_sequence", method<&INetworkDefinition::addReverseSequence>},
    {"add_rotary_embedding", method<&INetworkDefinition::addRotaryEmbedding>},
    {"add_scatter", method<&INetworkDefinition::addScatter>},
    {"add_select", method<&INetworkDefinition::addSelect>},
    {"add_shape", method<&INetworkDefinition::addShape>},
    {"add_shuffle", method<&INetworkDefinition::addShuffle>},
    {"add_slice", method<&INetworkDefinition::addSlice>},
    {"add_softmax", method<&INetworkDefinition::addSoftMax>},
    {"add_squeeze", method<&INetworkDefinition::addSqueeze>},
    {"add_topk", method<overload<ITensor&, TopKOperation, std::int32_t, std::uint32_t, DataType>(
                            &INetworkDefinition::addTopK),
                        DataType::kINT32>},
    {"add_unary", method<&INetworkDefinition::addUnary>},
    {"add_unsqueeze", method<&INetworkDefinition::addUnsqueeze>},
    {"mark_output", mark_output},
    {"set_weights_name", method<&INetworkDefinition::setWeightsName>},
});

template <>
constexpr auto attributes_of<INetworkDefinition> = members({
    {"name", attribute<&INetworkDefinition::setName, &INetworkDefinition::getName>},
});

template <>
constexpr auto methods_of<ILoop> = members({
    {"add_iterator", method<&ILoop::addIterator, 0, false>},
    {"add_loop_output", method<&ILoop::addLoopOutput, 0>},
    {"add_recurrence", method<&ILoop::addRecurrence>},
    {"add_trip_limit", method<&ILoop::addTripLimit>},
});

template <>
constexpr auto attributes_of<ILoop> = members({
    {"name", attribute<&ILoop::setName, &ILoop::getName>},
});

template <>
constexpr auto methods_of<IIfConditional> = members({
    {"add_input", method<&IIfConditional::addInput>},
    {"add_output", method<&IIfConditional::addOutput>},
    {"set_condition", method<&IIfConditional::setCondition>},
});

template <>
constexpr auto attributes_of<IIfConditional> = members({
    {"name", attribute<&IIfConditional::setName, &IIfConditional::getName>},
});

#if TORCHTRT_TENSORRT_11
template <>
constexpr auto later_methods_of<INetworkDefinition> = members({
    {"add_attention_v2", method<&INetworkDefinition::addAttentionV2>},
});
#endif

template <>
const ClassTable& class_of<INetworkDefinition>() {
  static const ClassTable table = table_of<INetworkDefinition>();
  return table;
}

template <>
const ClassTable& class_of<ILoop>() {
  static const ClassTable table = table_of<ILoop>();
  return table;
}

template <>
const ClassTable& class_of<IIfConditional>() {
  static const ClassTable table = table_of<IIfConditional>();
  return table;
}

}  // namespace torch_tensorrt::engines::tensorrt
