"""Writes the classes of the test double from NVIDIA's headers.

    generate_double.py <folder of NvInfer.h> <folder to write to>

TensorRT's interface classes forward each call to a private virtual class (apiv::V...). Here each of
these gets an implementation that records the call under its name in TensorRT's Python API; what the
names are is said below, apart from the player's tables, so that a mistake in one shows.
"""

import re
import sys
from itertools import zip_longest
from pathlib import Path

# What a script can hold, in an order in which each comes before those that make it.
LAYERS = (
    "Activation", "Assertion", "Cast", "Concatenation", "Condition", "Constant", "Convolution",
    "Cumulative", "Deconvolution", "Dequantize", "Einsum", "ElementWise", "Fill", "Gather",
    "GridSample", "Identity", "IfConditionalInput", "IfConditionalOutput", "Iterator",
    "KVCacheUpdate", "LRN", "LoopOutput", "MatrixMultiply", "NMS", "NonZero", "Normalization",
    "OneHot", "ParametricReLU", "PluginV2", "PluginV3", "Pooling", "Quantize", "Recurrence",
    "Reduce", "Resize", "ReverseSequence", "RotaryEmbedding", "Scatter", "Select", "Shape",
    "Shuffle", "Slice", "SoftMax", "Squeeze", "TopK", "TripLimit", "Unary", "Unsqueeze",
)  # fmt: skip
CLASSES = [
    "ITensor",
    *(f"I{name}Layer" for name in LAYERS),
    "IAttention",
    "ILoop",
    "IIfConditional",
    "INetworkDefinition",
]

# What runs plans.
PLAIN = ["VRuntime", "VCudaEngine", "VExecutionContext"]

# What has to do with plugins.
INTERFACES = ["IPluginRegistry", "IPluginV2"]

# Names that are not the C++ name in snake case.
METHODS = {
    "addElementWise": "add_elementwise", "addSoftMax": "add_softmax", "addLRN": "add_lrn",
    "addParametricReLU": "add_parametric_relu", "addTopK": "add_topk", "addTopKV2": "add_topk",
    "addNMS": "add_nms", "addNMSV2": "add_nms", "addNonZeroV2": "add_non_zero",
    "addFillV2": "add_fill", "addQuantizeV2": "add_quantize", "addDequantizeV2": "add_dequantize",
}  # fmt: skip
PROPERTIES = {
    "ActivationType": "type", "PoolingType": "type", "Operation": "op",
    "VFillLayer.Operation": "operation",
    "NormalizationOperation": "norm_op", "Dimensions": "shape", "OutputDimensions": "shape",
    "VSliceLayer.Size": "shape", "ReshapeDimensions": "reshape_dims", "KeepDimensions": "keep_dims",
    "ReduceAxes": "axes", "GatherAxis": "axis", "NbElementWiseDims": "num_elementwise_dims",
    "TopKBoxLimit": "topk_box_limit", "AlphaInt64": "alpha", "BetaInt64": "beta",
}  # fmt: skip


def snake(name):
    name = name.replace("Nb", "Num")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def parse_virtual_classes(text):
    """{"VLoop": [("ILoop*", "addLoop", [("ITensor&", "input")], "const"), ...]}"""
    found = re.findall(r"class (V\w+) : public VRoot\s*\{(.*?)\n\};?", text, re.S)
    return {name: parse_methods(body) for name, body in found}


def parse_methods(body):
    method = r"virtual\s+([\w:&*\s]+?)\s*\b(\w+)\(([^)]*)\)\s*(const)?\s*(?:noexcept)?\s*=\s*0"
    return [
        (" ".join(result.split()), name, parse_parameters(parameters), qualifier)
        for result, name, parameters, qualifier in re.findall(method, body)
    ]


def parse_interface(text, name):
    """The methods of an interface that plugins or their users implement."""
    (body,) = re.findall(rf"class (?:TRT_DEPRECATED )?{name}\s*\{{(.*?)\n\}};", text, re.S)
    return parse_methods(body)


def parse_parameters(text):
    parameters = []
    for parameter in filter(None, (part.split("=")[0].strip() for part in text.split(","))):
        match = re.fullmatch(r"(.*[&*\s])(\w+)", parameter, re.S)
        kind, name = match.groups() if match else (parameter, f"unnamed{len(parameters)}")
        parameters.append((" ".join(kind.split()), name))
    return parameters


def parse_interface_classes(text):
    """{"ILoop": ("INoCopy", [("VLoop", "mImpl")])}"""
    classes = {}
    for name, base, body in re.findall(
        r"class (?:TRT_DEPRECATED )?(I\w+) : public (\w+)\s*\{(.*?)\n\};", text, re.S
    ):
        classes[name] = (base, re.findall(r"apiv::(V\w+)\* (m\w+)(?=[;{])", body))
    return classes


def parts_of(name, interfaces):
    base, parts = interfaces[name]
    return (parts_of(base, interfaces) if base in interfaces else []) + parts


def parse_enums(text):
    enums = {}
    for name, body in re.findall(r"enum class (\w+) : int32_t\s*\{(.*?)\}", text, re.S):
        members = re.findall(
            r"\bk(\w+)\s*(?:TRT_DEPRECATED_ENUM)?\s*(?:=\s*(k?\w+))?\s*(?:,|$)", body
        )
        enums[name] = [member for member, value in members if not value.startswith("k")]
    return enums


def arguments_text(parameters):
    """Arguments for the recorder: a pointer with a count behind it is one list."""
    out, skip = [], False
    for (kind, name), following in zip_longest(parameters, parameters[1:]):
        if skip:
            skip = False
        elif kind.endswith("*") and following and re.match(r"nb[A-Z]", following[1]):
            out.append(f"std::span({name}, static_cast<std::size_t>({following[1]}))")
            skip = True
        else:
            out.append(name)
    return out


def body_of(owner, result, method, parameters):
    """The implementation of a method of apiv class `owner`."""
    arguments = arguments_text(parameters)
    key = re.sub(r"^(set|get|is)", "", method)
    python = PROPERTIES.get(f"{owner}.{key}", PROPERTIES.get(key, snake(key)))
    if owner == "VMatrixMultiplyLayer" and method == "setOperation":
        return 'set("op" + std::to_string(index), std::to_string(index), op);'
    if owner == "VMatrixMultiplyLayer" and method == "getOperation":
        return "return get<MatrixOperation>(std::to_string(index));"
    if method == "getScales":
        return 'return copy_floats("Scales", size, scales);'
    if method == "getOutput" and owner != "VNetworkDefinition":
        return 'return give<TensorDouble>("get_output", index);'
    if method == "getInput" and owner != "VNetworkDefinition":
        return "return get_input(index);"
    if method == "setInput":
        done = " return true;" if result == "bool" else ""
        return f"set_input(index, {arguments[1]});{done}"
    if method == "markOutput":
        tensor = "static_cast<TensorDouble&>(tensor).mImpl_double"
        return f'record("mark_output", tensor); {tensor}.keep("NetworkOutput", true);'
    if method == "addInput" and owner == "VNetworkDefinition":
        return (
            'auto* made = give<TensorDouble>("add_input", name, type, dimensions); '
            'made->mImpl_double.keep("Name", name); '
            'made->mImpl_double.keep("Type", type); return made;'
        )
    made = re.fullmatch(r"I(\w+)\*", result)
    if made and f"I{made[1]}" in CLASSES and re.match(r"add|set", method):
        name = METHODS.get(method, snake(method))
        given = ", ".join([f'"{name}"', *arguments])
        return f"return give<{made[1]}Double>({given});"
    if method == "setWeightsName":
        return 'record("set_weights_name", weights, name); return true;'
    if method.startswith("set") and len(arguments) == 1 and result in ("void", "bool"):
        done = " return true;" if result == "bool" else ""
        return f'set("{python}", "{key}", {arguments[0]});{done}'
    if re.match(r"get|is", method) and not parameters:
        value = re.sub(r" const&$", "", result)
        if result == "char const*":
            return f'return get_text("{key}");'
        if result.endswith("&") and value == result:
            return "std::abort();"
        return f'return get<{value}>("{key}");'
    unused = "".join(f"(void){name}; " for _, name in parameters)
    return f'{unused}return unexpected<{result}>("{owner}.{method}");'


def write_virtual_class(name, methods):
    lines = [f"class {name}Double final : public apiv::{name}, public Part {{", " public:",
             "  using Part::Part;"]  # fmt: skip
    for result, method, parameters, qualifier in methods:
        declared = ", ".join(f"{kind} {parameter}" for kind, parameter in parameters)
        lines.append(f"  {result} {method}({declared}) {qualifier} noexcept override {{")
        lines.append(f"    {body_of(name, result, method, parameters)}\n  }}")
    return [*lines, "};", ""]


def write_interface_class(name, parts):
    lines = [f"struct {name[1:]}Double final : {name} {{",
             f"  {name[1:]}Double(Recorder& recorder, std::uint32_t id)"]  # fmt: skip
    made = ", ".join(f"{member}_double(recorder, id)" for _, member in parts)
    lines.append(f"      : {made} {{")
    lines += [f"    {member} = &{member}_double;" for _, member in parts]
    lines.append("  }")
    lines += [f"  {virtual}Double {member}_double;" for virtual, member in parts]
    lines += ["};", ""]
    return lines


def write_plain_class(name, methods, base="apiv::"):
    """An implementation that expects no call: for tests to override what they do expect."""
    lines = [f"class Plain{name[1:]} : public {base}{name} {{", " public:"]
    for result, method, parameters, qualifier in methods:
        declared = ", ".join(kind for kind, _ in parameters)
        lines.append(f"  {result} {method}({declared}) {qualifier} noexcept override {{")
        lines.append("    std::abort();\n  }")
    return [*lines, "};", ""]


def write_enum(name, members):
    cases = [f'    case {name}::k{member}: return "{name}.{member}";' for member in members]
    return [f"inline std::string text_of({name} value) {{", "  switch (value) {", *cases, "  }",
            f'  return "{name}.?";', "}", ""]  # fmt: skip


def read_headers(folder):
    names = ("Impl", "PluginBase", "RuntimeBase", "RuntimePlugin", "RuntimeCommon", "Runtime", "")
    files = [f"NvInfer{name}.h" for name in names]
    return without_comments("\n".join((folder / name).read_text() for name in files))


def generate(text):
    """By file: the enums, the classes that record and those that expect no call, as lines."""
    virtuals, classes_of = parse_virtual_classes(text), parse_interface_classes(text)
    parts = {name: parts_of(name, classes_of) for name in CLASSES if name in classes_of}
    needed = list(dict.fromkeys(virtual for each in parts.values() for virtual, _ in each))
    words = set(re.findall(r"\w+", str([virtuals[name] for name in needed])))
    enums = []
    for name, members in parse_enums(text).items():
        if name in words and name != "DataType":
            enums += write_enum(name, members)
    classes = [f"struct {name[1:]}Double;" for name in parts] + [""]
    for name, members in parts.items():
        for virtual, _ in members:
            if virtual in needed:
                needed.remove(virtual)
                classes += write_virtual_class(virtual, virtuals[virtual])
        classes += write_interface_class(name, members)
    plain = [line for name in PLAIN for line in write_plain_class(name, virtuals[name])]
    interfaces = [
        line
        for name in INTERFACES
        for line in write_plain_class(name, parse_interface(text, name), base="")
    ]
    return {
        "recorded_enums.inc": enums,
        "recorded_classes.inc": classes,
        "plain_classes.inc": plain,
        "plain_interfaces.inc": interfaces,
    }


if __name__ == "__main__":
    for file_name, lines in generate(read_headers(Path(sys.argv[1]))).items():
        (Path(sys.argv[2]) / file_name).write_text("\n".join(lines))
