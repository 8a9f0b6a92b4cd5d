// Tensors, layers and attentions.

#include "core/text.h"
#include "engines/tensorrt/native/class_table.h"

namespace torch_tensorrt::engines::tensorrt {

using namespace nvinfer1;  // NOLINT: this file is a list of its names

namespace {

Object set_input(const Call& call, void* self) {
  auto* layer = static_cast<ILayer*>(self);
  const auto index = call.as<std::int32_t>(call.argument(0));
  auto& tensor = call.as<ITensor&>(call.argument(1));
  layer->setInput(index, tensor);
  check_kept(call, layer->getInput(index) == &tensor);
  return {};
}

/// Types follow from the layers (networks are strongly typed), so this says what is expected.
Object expect_dtype(const Call& call, void* self) {
  const DataType got = static_cast<ITensor*>(self)->getType();
  if (got != call.as<DataType>(call.argument(0))) {
    call.refuse(core::text("its type is ", kMemberNames<DataType>[static_cast<std::size_t>(got)]));
  }
  return {};
}

/// Integers stay integers, for ranges of INT32 and INT64.
template <auto set, auto set_int64, auto get, auto get_int64>
Object set_range(const Call& call, void* self) {
  auto* fill = static_cast<IFillLayer*>(self);
  if (const auto* value = std::get_if<std::int64_t>(&call.argument(0))) {
    (fill->*set_int64)(*value);
    check_kept(call, (fill->*get_int64)() == *value);
  } else {
    const auto number = call.as<double>(call.argument(0));
    (fill->*set)(number);
    check_kept(call, (fill->*get)() == number);
  }
  return {};
}

template <std::int32_t index>
Object set_matrix_operation(const Call& call, void* self) {
  auto* layer = static_cast<IMatrixMultiplyLayer*>(self);
  const auto operation = call.as<MatrixOperation>(call.argument(0));
  layer->setOperation(index, operation);
  check_kept(call, layer->getOperation(index) == operation);
  return {};
}

Object set_scales(const Call& call, void* self) {
  auto* layer = static_cast<IResizeLayer*>(self);
  const std::vector<float> scales = call.floats(call.argument(0));
  const auto count = static_cast<std::int32_t>(scales.size());
  layer->setScales(scales.data(), count);
  std::vector<float> got(scales.size());
  check_kept(call, layer->getScales(count, got.data()) == count && got == scales);
  return {};
}

}  // namespace

template <>
constexpr auto attributes_of<ITensor> = members({
    {"dtype", expect_dtype},
    {"name", attribute<&ITensor::setName, &ITensor::getName>},
});

template <>
constexpr auto methods_of<ILayer> = members({
    {"get_output", method<&ILayer::getOutput>},
    {"set_input", set_input},
});

template <>
constexpr auto attributes_of<ILayer> = members({
    {"metadata", attribute<&ILayer::setMetadata, &ILayer::getMetadata>},
    {"name", attribute<&ILayer::setName, &ILayer::getName>},
});

template <>
constexpr auto methods_of<IAttention> = members({
    {"get_output", method<&IAttention::getOutput>},
    {"set_input", method<&IAttention::setInput>},
});

template <>
constexpr auto attributes_of<IActivationLayer> = members({
    {"type", attribute<&IActivationLayer::setActivationType, &IActivationLayer::getActivationType>},
    {"alpha", attribute<&IActivationLayer::setAlpha, &IActivationLayer::getAlpha>},
    {"beta", attribute<&IActivationLayer::setBeta, &IActivationLayer::getBeta>},
});

template <>
constexpr auto attributes_of<IAssertionLayer> = members({
    {"message", attribute<&IAssertionLayer::setMessage, &IAssertionLayer::getMessage>},
});

template <>
constexpr auto attributes_of<IAttention> = members({
    {"mask", attribute<&IAttention::setMask, &IAttention::getMask>},
    {"norm_op",
     attribute<&IAttention::setNormalizationOperation, &IAttention::getNormalizationOperation>},
    {"decomposable", attribute<&IAttention::setDecomposable, &IAttention::getDecomposable>},
    {"causal", attribute<&IAttention::setCausal, &IAttention::getCausal>},
    {"name", attribute<&IAttention::setName, &IAttention::getName>},
    {"metadata", attribute<&IAttention::setMetadata, &IAttention::getMetadata>},
    {"normalization_quantize_scale", attribute<&IAttention::setNormalizationQuantizeScale,
                                               &IAttention::getNormalizationQuantizeScale>},
    {"normalization_quantize_to_type", attribute<&IAttention::setNormalizationQuantizeToType,
                                                 &IAttention::getNormalizationQuantizeToType>},
    {"num_ranks", attribute<&IAttention::setNbRanks, &IAttention::getNbRanks>},
});

template <>
constexpr auto attributes_of<ICastLayer> = members({
    {"to_type", attribute<&ICastLayer::setToType, &ICastLayer::getToType>},
});

template <>
constexpr auto attributes_of<IConcatenationLayer> = members({
    {"axis", attribute<&IConcatenationLayer::setAxis, &IConcatenationLayer::getAxis>},
});

template <class Layer>
constexpr auto convolution_attributes = members({
    {"num_output_maps", attribute<&Layer::setNbOutputMaps, &Layer::getNbOutputMaps>},
    {"pre_padding", attribute<&Layer::setPrePadding, &Layer::getPrePadding>},
    {"post_padding", attribute<&Layer::setPostPadding, &Layer::getPostPadding>},
    {"padding_mode", attribute<&Layer::setPaddingMode, &Layer::getPaddingMode>},
    {"num_groups", attribute<&Layer::setNbGroups, &Layer::getNbGroups>},
    {"kernel_size_nd", attribute<&Layer::setKernelSizeNd, &Layer::getKernelSizeNd>},
    {"stride_nd", attribute<&Layer::setStrideNd, &Layer::getStrideNd>},
    {"padding_nd", attribute<&Layer::setPaddingNd, &Layer::getPaddingNd>},
    {"dilation_nd", attribute<&Layer::setDilationNd, &Layer::getDilationNd>},
});

template <>
constexpr auto attributes_of<IConvolutionLayer> = convolution_attributes<IConvolutionLayer>;
template <>
constexpr auto attributes_of<ICumulativeLayer> = members({
    {"op", attribute<&ICumulativeLayer::setOperation, &ICumulativeLayer::getOperation>},
    {"exclusive", attribute<&ICumulativeLayer::setExclusive, &ICumulativeLayer::getExclusive>},
    {"reverse", attribute<&ICumulativeLayer::setReverse, &ICumulativeLayer::getReverse>},
});

template <>
constexpr auto attributes_of<IDeconvolutionLayer> = convolution_attributes<IDeconvolutionLayer>;
template <class Layer>
constexpr auto quantization_attributes = members({
    {"axis", attribute<&Layer::setAxis, &Layer::getAxis>},
    {"block_shape", attribute<&Layer::setBlockShape, &Layer::getBlockShape>},
    {"to_type", attribute<&Layer::setToType, &Layer::getToType>},
});

template <>
constexpr auto attributes_of<IDequantizeLayer> = quantization_attributes<IDequantizeLayer>;
template <>
constexpr auto attributes_of<IEinsumLayer> = members({
    {"equation", attribute<&IEinsumLayer::setEquation, &IEinsumLayer::getEquation>},
});

template <>
constexpr auto attributes_of<IElementWiseLayer> = members({
    {"op", attribute<&IElementWiseLayer::setOperation, &IElementWiseLayer::getOperation>},
});

template <>
constexpr auto attributes_of<IFillLayer> = members({
    {"shape", attribute<&IFillLayer::setDimensions, &IFillLayer::getDimensions>},
    {"operation", attribute<&IFillLayer::setOperation, &IFillLayer::getOperation>},
    {"alpha", set_range<&IFillLayer::setAlpha, &IFillLayer::setAlphaInt64, &IFillLayer::getAlpha,
                        &IFillLayer::getAlphaInt64>},
    {"beta", set_range<&IFillLayer::setBeta, &IFillLayer::setBetaInt64, &IFillLayer::getBeta,
                       &IFillLayer::getBetaInt64>},
    {"to_type", attribute<&IFillLayer::setToType, &IFillLayer::getToType>},
});

template <>
constexpr auto attributes_of<IGatherLayer> = members({
    {"axis", attribute<&IGatherLayer::setGatherAxis, &IGatherLayer::getGatherAxis>},
    {"num_elementwise_dims",
     attribute<&IGatherLayer::setNbElementWiseDims, &IGatherLayer::getNbElementWiseDims>},
    {"mode", attribute<&IGatherLayer::setMode, &IGatherLayer::getMode>},
});

template <>
constexpr auto attributes_of<IGridSampleLayer> = members({
    {"interpolation_mode",
     attribute<&IGridSampleLayer::setInterpolationMode, &IGridSampleLayer::getInterpolationMode>},
    {"align_corners",
     attribute<&IGridSampleLayer::setAlignCorners, &IGridSampleLayer::getAlignCorners>},
    {"sample_mode", attribute<&IGridSampleLayer::setSampleMode, &IGridSampleLayer::getSampleMode>},
});

template <>
constexpr auto attributes_of<IKVCacheUpdateLayer> = members({
    {"cache_mode",
     attribute<&IKVCacheUpdateLayer::setCacheMode, &IKVCacheUpdateLayer::getCacheMode>},
});

template <>
constexpr auto attributes_of<ILRNLayer> = members({
    {"window_size", attribute<&ILRNLayer::setWindowSize, &ILRNLayer::getWindowSize>},
    {"alpha", attribute<&ILRNLayer::setAlpha, &ILRNLayer::getAlpha>},
    {"beta", attribute<&ILRNLayer::setBeta, &ILRNLayer::getBeta>},
    {"k", attribute<&ILRNLayer::setK, &ILRNLayer::getK>},
});

template <>
constexpr auto attributes_of<IMatrixMultiplyLayer> = members({
    {"op0", set_matrix_operation<0>},
    {"op1", set_matrix_operation<1>},
});

template <>
constexpr auto attributes_of<INMSLayer> = members({
    {"bounding_box_format",
     attribute<&INMSLayer::setBoundingBoxFormat, &INMSLayer::getBoundingBoxFormat>},
    {"topk_box_limit", attribute<&INMSLayer::setTopKBoxLimit, &INMSLayer::getTopKBoxLimit>},
    {"indices_type", attribute<&INMSLayer::setIndicesType, &INMSLayer::getIndicesType>},
});

template <>
constexpr auto attributes_of<INonZeroLayer> = members({
    {"indices_type", attribute<&INonZeroLayer::setIndicesType, &INonZeroLayer::getIndicesType>},
});

template <>
constexpr auto attributes_of<INormalizationLayer> = members({
    {"epsilon", attribute<&INormalizationLayer::setEpsilon, &INormalizationLayer::getEpsilon>},
    {"axes", attribute<&INormalizationLayer::setAxes, &INormalizationLayer::getAxes>},
    {"num_groups", attribute<&INormalizationLayer::setNbGroups, &INormalizationLayer::getNbGroups>},
});

template <>
constexpr auto attributes_of<IOneHotLayer> = members({
    {"axis", attribute<&IOneHotLayer::setAxis, &IOneHotLayer::getAxis>},
});

template <>
constexpr auto attributes_of<IPoolingLayer> = members({
    {"type", attribute<&IPoolingLayer::setPoolingType, &IPoolingLayer::getPoolingType>},
    {"pre_padding", attribute<&IPoolingLayer::setPrePadding, &IPoolingLayer::getPrePadding>},
    {"post_padding", attribute<&IPoolingLayer::setPostPadding, &IPoolingLayer::getPostPadding>},
    {"padding_mode", attribute<&IPoolingLayer::setPaddingMode, &IPoolingLayer::getPaddingMode>},
    {"blend_factor", attribute<&IPoolingLayer::setBlendFactor, &IPoolingLayer::getBlendFactor>},
    {"average_count_excludes_padding", attribute<&IPoolingLayer::setAverageCountExcludesPadding,
                                                 &IPoolingLayer::getAverageCountExcludesPadding>},
    {"window_size_nd", attribute<&IPoolingLayer::setWindowSizeNd, &IPoolingLayer::getWindowSizeNd>},
    {"stride_nd", attribute<&IPoolingLayer::setStrideNd, &IPoolingLayer::getStrideNd>},
    {"padding_nd", attribute<&IPoolingLayer::setPaddingNd, &IPoolingLayer::getPaddingNd>},
});

template <>
constexpr auto attributes_of<IQuantizeLayer> = quantization_attributes<IQuantizeLayer>;
template <>
constexpr auto attributes_of<IReduceLayer> = members({
    {"op", attribute<&IReduceLayer::setOperation, &IReduceLayer::getOperation>},
    {"axes", attribute<&IReduceLayer::setReduceAxes, &IReduceLayer::getReduceAxes>},
    {"keep_dims", attribute<&IReduceLayer::setKeepDimensions, &IReduceLayer::getKeepDimensions>},
});

template <>
constexpr auto attributes_of<IResizeLayer> = members({
    {"shape", attribute<&IResizeLayer::setOutputDimensions, &IResizeLayer::getOutputDimensions>},
    {"scales", set_scales},
    {"resize_mode", attribute<&IResizeLayer::setResizeMode, &IResizeLayer::getResizeMode>},
    {"coordinate_transformation", attribute<&IResizeLayer::setCoordinateTransformation,
                                            &IResizeLayer::getCoordinateTransformation>},
    {"selector_for_single_pixel",
     attribute<&IResizeLayer::setSelectorForSinglePixel, &IResizeLayer::getSelectorForSinglePixel>},
    {"nearest_rounding",
     attribute<&IResizeLayer::setNearestRounding, &IResizeLayer::getNearestRounding>},
    {"exclude_outside",
     attribute<&IResizeLayer::setExcludeOutside, &IResizeLayer::getExcludeOutside>},
    {"cubic_coeff", attribute<&IResizeLayer::setCubicCoeff, &IResizeLayer::getCubicCoeff>},
});

template <>
constexpr auto attributes_of<IReverseSequenceLayer> = members({
    {"batch_axis",
     attribute<&IReverseSequenceLayer::setBatchAxis, &IReverseSequenceLayer::getBatchAxis>},
    {"sequence_axis",
     attribute<&IReverseSequenceLayer::setSequenceAxis, &IReverseSequenceLayer::getSequenceAxis>},
});

template <>
constexpr auto attributes_of<IRotaryEmbeddingLayer> = members({
    {"interleaved",
     attribute<&IRotaryEmbeddingLayer::setInterleaved, &IRotaryEmbeddingLayer::getInterleaved>},
    {"rotary_embedding_dim", attribute<&IRotaryEmbeddingLayer::setRotaryEmbeddingDim,
                                       &IRotaryEmbeddingLayer::getRotaryEmbeddingDim>},
});

template <>
constexpr auto attributes_of<IScatterLayer> = members({
    {"axis", attribute<&IScatterLayer::setAxis, &IScatterLayer::getAxis>},
    {"mode", attribute<&IScatterLayer::setMode, &IScatterLayer::getMode>},
});

template <>
constexpr auto attributes_of<IShuffleLayer> = members({
    {"first_transpose",
     attribute<&IShuffleLayer::setFirstTranspose, &IShuffleLayer::getFirstTranspose>},
    {"reshape_dims",
     attribute<&IShuffleLayer::setReshapeDimensions, &IShuffleLayer::getReshapeDimensions>},
    {"second_transpose",
     attribute<&IShuffleLayer::setSecondTranspose, &IShuffleLayer::getSecondTranspose>},
    {"zero_is_placeholder",
     attribute<&IShuffleLayer::setZeroIsPlaceholder, &IShuffleLayer::getZeroIsPlaceholder>},
});

template <>
constexpr auto attributes_of<ISliceLayer> = members({
    {"start", attribute<&ISliceLayer::setStart, &ISliceLayer::getStart>},
    {"shape", attribute<&ISliceLayer::setSize, &ISliceLayer::getSize>},
    {"stride", attribute<&ISliceLayer::setStride, &ISliceLayer::getStride>},
    {"mode", attribute<&ISliceLayer::setMode, &ISliceLayer::getMode>},
    {"axes", attribute<&ISliceLayer::setAxes, &ISliceLayer::getAxes>},
});

template <>
constexpr auto attributes_of<ISoftMaxLayer> = members({
    {"axes", attribute<&ISoftMaxLayer::setAxes, &ISoftMaxLayer::getAxes>},
});

template <>
constexpr auto attributes_of<ITopKLayer> = members({
    {"op", attribute<&ITopKLayer::setOperation, &ITopKLayer::getOperation>},
    {"k", attribute<&ITopKLayer::setK, &ITopKLayer::getK>},
    {"axes", attribute<&ITopKLayer::setReduceAxes, &ITopKLayer::getReduceAxes>},
    {"indices_type", attribute<&ITopKLayer::setIndicesType, &ITopKLayer::getIndicesType>},
});

template <>
constexpr auto attributes_of<IUnaryLayer> = members({
    {"op", attribute<&IUnaryLayer::setOperation, &IUnaryLayer::getOperation>},
});

template <>
constexpr auto attributes_of<IConstantLayer> = members({
    {"shape", attribute<&IConstantLayer::setDimensions, &IConstantLayer::getDimensions>},
});

template <>
constexpr auto attributes_of<IIteratorLayer> = members({
    {"axis", attribute<&IIteratorLayer::setAxis, &IIteratorLayer::getAxis>},
    {"reverse", attribute<&IIteratorLayer::setReverse, &IIteratorLayer::getReverse>},
});

template <>
constexpr auto attributes_of<ILoopOutputLayer> = members({
    {"axis", attribute<&ILoopOutputLayer::setAxis, &ILoopOutputLayer::getAxis>},
});

#if TORCHTRT_TENSORRT_11
template <>
constexpr auto later_attributes_of<IAttention> = members({
    {"causal_kind", attribute<&IAttention::setCausalKind, &IAttention::getCausalKind>},
    {"key_value_form", attribute<&IAttention::setKeyValueForm, &IAttention::getKeyValueForm>},
    {"key_value_lengths",
     attribute<&IAttention::setKeyValueLengths, &IAttention::getKeyValueLengths>},
    {"query_form", attribute<&IAttention::setQueryForm, &IAttention::getQueryForm>},
    {"query_lengths", attribute<&IAttention::setQueryLengths, &IAttention::getQueryLengths>},
});

template <>
constexpr auto later_attributes_of<IKVCacheUpdateLayer> = members({
    {"update_form",
     attribute<&IKVCacheUpdateLayer::setUpdateForm, &IKVCacheUpdateLayer::getUpdateForm>},
    {"update_lengths",
     attribute<&IKVCacheUpdateLayer::setUpdateLengths, &IKVCacheUpdateLayer::getUpdateLengths>},
});
#endif

/// Of every class instantiated below.
template <class T>
const ClassTable& class_of() {
  static const ClassTable table = table_of<T>();
  return table;
}

template const ClassTable& class_of<ITensor>();
template const ClassTable& class_of<ILayer>();
template const ClassTable& class_of<IActivationLayer>();
template const ClassTable& class_of<IAssertionLayer>();
template const ClassTable& class_of<IAttention>();
template const ClassTable& class_of<ICastLayer>();
template const ClassTable& class_of<IConcatenationLayer>();
template const ClassTable& class_of<IConditionLayer>();
template const ClassTable& class_of<IConstantLayer>();
template const ClassTable& class_of<IConvolutionLayer>();
template const ClassTable& class_of<ICumulativeLayer>();
template const ClassTable& class_of<IDeconvolutionLayer>();
template const ClassTable& class_of<IDequantizeLayer>();
template const ClassTable& class_of<IEinsumLayer>();
template const ClassTable& class_of<IElementWiseLayer>();
template const ClassTable& class_of<IFillLayer>();
template const ClassTable& class_of<IGatherLayer>();
template const ClassTable& class_of<IGridSampleLayer>();
template const ClassTable& class_of<IIdentityLayer>();
template const ClassTable& class_of<IIfConditionalInputLayer>();
template const ClassTable& class_of<IIfConditionalOutputLayer>();
template const ClassTable& class_of<IIteratorLayer>();
template const ClassTable& class_of<IKVCacheUpdateLayer>();
template const ClassTable& class_of<ILRNLayer>();
template const ClassTable& class_of<ILoopOutputLayer>();
template const ClassTable& class_of<IMatrixMultiplyLayer>();
template const ClassTable& class_of<INMSLayer>();
template const ClassTable& class_of<INonZeroLayer>();
template const ClassTable& class_of<INormalizationLayer>();
template const ClassTable& class_of<IOneHotLayer>();
template const ClassTable& class_of<IParametricReLULayer>();
template const ClassTable& class_of<IPluginV2Layer>();
template const ClassTable& class_of<IPluginV3Layer>();
template const ClassTable& class_of<IPoolingLayer>();
template const ClassTable& class_of<IQuantizeLayer>();
template const ClassTable& class_of<IRecurrenceLayer>();
template const ClassTable& class_of<IReduceLayer>();
template const ClassTable& class_of<IResizeLayer>();
template const ClassTable& class_of<IReverseSequenceLayer>();
template const ClassTable& class_of<IRotaryEmbeddingLayer>();
template const ClassTable& class_of<IScatterLayer>();
template const ClassTable& class_of<ISelectLayer>();
template const ClassTable& class_of<IShapeLayer>();
template const ClassTable& class_of<IShuffleLayer>();
template const ClassTable& class_of<ISliceLayer>();
template const ClassTable& class_of<ISoftMaxLayer>();
template const ClassTable& class_of<ISqueezeLayer>();
template const ClassTable& class_of<ITopKLayer>();
template const ClassTable& class_of<ITripLimitLayer>();
template const ClassTable& class_of<IUnaryLayer>();
template const ClassTable& class_of<IUnsqueezeLayer>();

}  // namespace torch_tensorrt::engines::tensorrt
