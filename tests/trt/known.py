"""What TensorRT-RTX does not take: a pattern of rows of the conformance suite, and its words.

Where the text begins with "tensorrt:", the emitter knows it beforehand.
"""

REFUSED = {
    r"adaptive_avg_pool\.(1d|2d|3d)\..*\.dynamic": "has a dynamic or empty size",
    r"assert\.fails\..*": "IAssertionLayer",
    r"deconv\.plain\.bf16\..*": "takes f32 and f16, not bf16",
    r"loop\.(until|no_trip)\..*": "stacks values only in loops whose trips are counted",
    r"lstm\.lengths.*": "takes no lengths per sequence",
    r"nms\..*": "no kernel whose result's size depends on data",
    r"non_zero\..*": "no kernel whose result's size depends on data",
    r"plugin\..*": "has no add_plugin_v3: its networks take no plugins",
    r"quantize\.(u8.*|zero_points_per_channel|pair_per_last_axis)\..*": "no zero points",
    r"dequantize\.u8_input\..*": "no zero points",
    r"scatter_nd\.sum\..*\.dynamic": "needs static sizes",
}
