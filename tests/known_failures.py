"""What fails and why: one table an engine. A row that is listed and passes is a failure of the test
run.

Keys are `<op>/<row>` of tests/ops (test_softmax, row last_dim: "softmax/last_dim"); `*` stands for
any text.
"""

# Permanent: the engine cannot do it.
UNSUPPORTED: dict[str, dict[str, str]] = {
    "openvino": {
        "upsample_nearest/scale_half": "a fractional scale on a dynamic size: sizes follow in f32",
    },
    "reference": {},
}

# Temporary: to be mended, by us or by the engine's vendor.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    "openvino": {
        "expand/interleave_tensor": "the type run gives a size of 0: meta tensors hide the repeats",
    },
    "reference": {
        "expand/interleave_tensor": "the type run gives a size of 0: meta tensors hide the repeats",
    },
}
