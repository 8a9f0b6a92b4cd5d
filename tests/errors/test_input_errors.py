"""One test a message: inputs at compile time and at run time."""

import re

import pytest
import torch
import torch_tensorrt
from torch_tensorrt import Device, Input, dtype, memory_format

MODEL = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()


def compiled(*inputs: object) -> torch.jit.ScriptModule:
    return torch_tensorrt.compile(
        MODEL, ir="ts", inputs=list(inputs), engine="openvino", min_block_size=1
    )


# ---- descriptions ----


def test_input_without_a_shape() -> None:
    with pytest.raises(ValueError, match="expected one of: shape; min_shape, opt_shape and"):
        Input()


def test_input_with_two_kinds_of_shape() -> None:
    with pytest.raises(ValueError, match="expected one of: shape; min_shape"):
        Input((1, 2), min_shape=(1, 2))


def test_input_without_opt_shape() -> None:
    with pytest.raises(ValueError, match="opt_shape missing, expected all of min_shape"):
        Input(min_shape=(1, 2), max_shape=(4, 2))


def test_input_out_of_order() -> None:
    with pytest.raises(ValueError, match=re.escape("min_shape (4, 2), opt_shape (2, 2)")):
        Input(min_shape=(4, 2), opt_shape=(2, 2), max_shape=(8, 2))


def test_input_of_different_ranks() -> None:
    with pytest.raises(ValueError, match="expected one rank and min <= opt <= max"):
        Input(min_shape=(1,), opt_shape=(2, 2), max_shape=(8, 2))


def test_input_with_a_negative_size() -> None:
    with pytest.raises(ValueError, match=re.escape("shape is (-1, 4), expected sizes >= 0")):
        Input((-1, 4))


def test_input_with_an_empty_domain() -> None:
    with pytest.raises(ValueError, match=r"tensor_domain is .* expected .*low < high"):
        Input((1,), tensor_domain=(1.0, 1.0))


def test_profiles_of_different_ranks() -> None:
    first = {"min": (1,), "opt": (1,), "max": (2,)}
    second = {"min": (1, 1), "opt": (1, 1), "max": (2, 2)}
    with pytest.raises(ValueError, match=re.escape("profiles have ranks [1, 2]")):
        Input(profiles=[first, second])


def test_shared_dims_of_a_fixed_axis() -> None:
    with pytest.raises(ValueError, match="shared_dims names axis 1, expected a dynamic axis"):
        Input(min_shape=(1, 2), opt_shape=(1, 2), max_shape=(4, 2), shared_dims={1: "n"})


def test_example_of_a_fixed_input_has_no_field() -> None:
    with pytest.raises(ValueError, match="has the fixed shape"):
        Input((1, 2)).example_tensor("min_shape")


def test_example_of_a_dynamic_input_needs_a_field() -> None:
    with pytest.raises(ValueError, match="expected min_shape, opt_shape, max_shape"):
        Input(min_shape=(1,), opt_shape=(1,), max_shape=(2,)).example_tensor()


def test_dtype_without_counterpart() -> None:
    with pytest.raises(TypeError, match=r"torch\.complex64 has no counterpart among"):
        dtype._from(torch.complex64)


def test_dtype_that_a_library_lacks() -> None:
    with pytest.raises(TypeError, match=r"dtype\.unknown has no counterpart in"):
        dtype.unknown.to(torch.dtype)


def test_memory_format_that_a_library_lacks() -> None:
    with pytest.raises(TypeError, match=r"memory_format\.chw4 has no counterpart in"):
        memory_format.chw4.to(torch.memory_format)


def test_device_given_twice() -> None:
    with pytest.raises(ValueError, match="expected one form"):
        Device("cuda:0", gpu_id=1)


# ---- compile ----


def test_no_inputs() -> None:
    with pytest.raises(ValueError, match="inputs is missing, expected one"):
        torch_tensorrt.compile(MODEL, ir="ts")


def test_inputs_that_are_one_tensor() -> None:
    with pytest.raises(ValueError, match="expected a list with one element per argument"):
        torch_tensorrt.compile(MODEL, ir="ts", inputs=torch.ones(2, 4))


def test_an_input_of_a_foreign_type() -> None:
    with pytest.raises(ValueError, match=r"an input is 3j, expected a torch_tensorrt\.Input"):
        compiled(3j)


def test_inputs_and_input_signature() -> None:
    script = torch.jit.script(MODEL)
    with pytest.raises(ValueError, match="expected either inputs or input_signature"):
        torch_tensorrt.ts.compile(script, [torch.ones(2, 4)], input_signature=(torch.ones(2, 4),))


def test_inputs_and_arg_inputs() -> None:
    x = [torch.ones(2, 4)]
    with pytest.raises(ValueError, match="inputs and arg_inputs are both given"):
        torch_tensorrt.compile(MODEL, ir="ts", inputs=x, arg_inputs=x)


def test_unknown_keyword_argument() -> None:
    with pytest.raises(ValueError, match="kwarg_inputs has depth, expected among"):
        torch_tensorrt.compile(MODEL, ir="ts", kwarg_inputs={"depth": torch.ones(2, 4)})


def test_too_many_inputs() -> None:
    with pytest.raises(ValueError, match="2"):
        compiled((2, 4), (2, 4))


def test_shape_that_the_model_cannot_take() -> None:
    with pytest.raises((ValueError, RuntimeError), match=r"(?s)4"):
        compiled((2, 5))


def test_memory_format_of_no_engine() -> None:
    with pytest.raises(ValueError, match="format of an input is chw4, expected contiguous"):
        compiled(Input((2, 4), format=memory_format.chw4))


def test_shape_tensor_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="an input is a shape tensor, expected data"):
        compiled(Input((2, 4), is_shape_tensor=True))


def test_module_that_is_none() -> None:
    with pytest.raises(TypeError, match=r"module is an int, expected a torch\.nn\.Module"):
        torch_tensorrt.compile(3, ir="ts", inputs=[torch.ones(1)])


def test_frontend_that_does_not_take_a_script() -> None:
    script = torch.jit.script(MODEL)
    for ir in ("dynamo", "fx", "torch_compile"):
        with pytest.raises(ValueError, match=f"ir is '{ir}' and module is a .*only ir='ts' takes"):
            torch_tensorrt.compile(script, ir=ir, inputs=[torch.ones(2, 4)])


def test_frontend_that_is_none() -> None:
    with pytest.raises(ValueError, match="ir is 'onnx', expected one of default, ts"):
        torch_tensorrt.compile(MODEL, ir="onnx", inputs=[torch.ones(2, 4)])


def test_method_that_is_none() -> None:
    script = torch.jit.script(MODEL)
    with pytest.raises((ValueError, AttributeError), match="encode"):
        torch_tensorrt.convert_method_to_trt_engine(script, "encode", inputs=[torch.ones(2, 4)])


def test_model_that_can_be_neither_scripted_nor_traced() -> None:
    class Unscriptable(torch.nn.Module):
        def forward(self, x: torch.Tensor, **_: torch.Tensor) -> torch.Tensor:
            return x

    with pytest.raises(
        ValueError, match="Unscriptable cannot be scripted, and there are no inputs"
    ):
        torch_tensorrt.ts.check_method_op_support(Unscriptable())


# ---- run ----


def test_call_with_a_wrong_dtype() -> None:
    fast = compiled((2, 4))
    with pytest.raises((ValueError, RuntimeError), match=r"float64, expected float32"):
        fast(torch.ones(2, 4, dtype=torch.float64))


def test_call_with_a_wrong_shape() -> None:
    fast = compiled((2, 4))
    with pytest.raises((ValueError, RuntimeError), match=r"3.*expected.*2"):
        fast(torch.ones(3, 4))


def test_call_outside_the_range() -> None:
    fast = compiled(Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(4, 4)))
    with pytest.raises((ValueError, RuntimeError), match=r"5.*expected.*1\.\..*4"):
        fast(torch.ones(5, 4))


def test_call_with_a_wrong_rank() -> None:
    fast = compiled((2, 4))
    with pytest.raises((ValueError, RuntimeError), match="expected"):
        fast(torch.ones(4))
