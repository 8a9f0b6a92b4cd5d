"""One test a message: what a stage of a compilation, or the runtime, refuses."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from errors.harness import compile_error, dynamic, said
from torch_tensorrt import Input
from torch_tensorrt.fx.input_tensor_spec import generate_input_specs
from torch_tensorrt.fx.lower_setting import LowerSetting

torch.manual_seed(0)
TEST_ENGINES = Path(torch_tensorrt.__file__).parents[2] / "bin/engines"
MATRIX = torch.rand(3, 4)
IMAGES = torch.rand(2, 3, 4, 4)
ORDER = " <= ".join(["min", "opt", "max"])
MISFIT = "; PyTorch itself stops here with inputs of these shapes"


class Lists(torch.nn.Module):
    def forward(self, xs: list[torch.Tensor]) -> torch.Tensor:
        return torch.relu(xs[0])


class Pair(torch.nn.Module):
    def forward(self, xs: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return torch.relu(xs[0])


def error_of(module: torch.nn.Module, inputs: list[Any], **settings: Any) -> str:
    """What compiling the scripted module raises."""
    script = torch.jit.script(module.eval())
    with pytest.raises((ValueError, NotImplementedError)) as error:
        torch_tensorrt.compile(script, ir="ts", inputs=inputs, **settings)
    return str(error.value)


# ---- capture ----


@pytest.mark.parametrize(
    ("module", "given", "sentence"),
    [
        (
            torch.nn.ReLU(),
            [MATRIX],
            "argument input: the signature has a list, the method takes Tensor",
        ),
        (Lists(), MATRIX, "argument xs: the signature has a tensor, the method takes List[Tensor]"),
        (
            Pair(),
            (MATRIX, MATRIX, MATRIX),
            "argument xs: the signature has a tuple of 3, the method takes Tuple[Tensor, Tensor]",
        ),
    ],
)
def test_an_input_of_another_kind(module: torch.nn.Module, given: Any, sentence: str) -> None:
    assert error_of(module, [given]) == said("capture", sentence)


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        ("Tensor", 5, "the signature has 5, the method takes Tensor"),
        ("Tensor", "ab", "the signature has 'ab', the method takes Tensor"),
        ("int", 1.5, "the signature has 1.5, the method takes int"),
        ("int", None, "the signature has None, the method takes int"),
        ("Optional[str]", 1, "the signature has 1, the method takes Optional[str]"),
    ],
)
def test_a_value_of_another_kind(kind: str, given: Any, sentence: str) -> None:
    source = f"def program(x: Tensor, y: {kind}):\n    return x, y\n"
    program = torch.jit.CompilationUnit(source).program
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - compared whole
        torch_tensorrt.ts.compile(program, input_signature=(MATRIX, given))
    assert str(refused.value) == said("capture", f"argument y: {sentence}")


@pytest.mark.parametrize(
    ("kind", "given"),
    [("Optional[Tensor]", None), ("float", 2), ("int", True), ("Optional[str]", "a"), ("str", "a")],
)
def test_values_that_python_passes_too(kind: str, given: Any) -> None:
    source = f"def program(x: Tensor, y: {kind}):\n    return torch.relu(x), y\n"
    program = torch.jit.CompilationUnit(source).program
    fast = torch_tensorrt.ts.compile(program, input_signature=(MATRIX, given), min_block_size=1)
    assert fast(MATRIX, given)[1] == given


def test_too_many_inputs() -> None:
    shown = error_of(torch.nn.ReLU(), [MATRIX, MATRIX, MATRIX])
    assert shown.startswith(
        "[capture] inputs has 3 elements, but forward takes 1 argument(s): forward"
    )
    assert shown.endswith("Tensor input) -> Tensor")


@pytest.mark.parametrize(
    ("smallest", "sentence"),
    [
        ((3, 4), f"min is [3, 4], opt [2, 4], max [4, 4]; expected {ORDER} in every dimension"),
        ((3,), "min is [3], opt [2, 4], max [4, 4]; expected equal ranks"),
        ((-3, 4), "min is [-3, 4], opt [2, 4], max [4, 4]; expected sizes of 0 or more"),
    ],
)
@pytest.mark.parametrize("name", ["x", ""])
def test_a_shape_that_was_changed_by_hand(
    smallest: tuple[int, ...], sentence: str, name: str
) -> None:
    given = Input(min_shape=(1, 4), opt_shape=(2, 4), max_shape=(4, 4), name=name)
    given.min_shape = smallest
    assert error_of(torch.nn.ReLU(), [given]) == said(
        "capture", f"input {name or 'input'}: {sentence}"
    )


def test_a_method_that_is_not_there() -> None:
    script = torch.jit.script(torch.nn.ReLU())
    message = r"^\[capture\] the module has no method 'encode', expected one of: forward$"
    with pytest.raises(ValueError, match=message):
        torch_tensorrt.ts.convert_method_to_trt_engine(script, "encode", inputs=[MATRIX])
    with pytest.raises(ValueError, match=message):
        torch_tensorrt.ts.check_method_op_support(script, "encode")


# ---- lowering ----


@pytest.mark.parametrize(
    ("body", "weight", "sentence"),
    [
        ("torch.conv2d(x, y, stride=[1, 1, 1])", (3, 3, 2, 2), "expected 2 numbers, got 3"),
        ("torch.conv2d(x, y)", (3, 3), "the input has rank 4, expected 1 or 2"),
        ("torch.conv2d(x, y)", (3, 3, 5, 5), "the kernel of 5 does not fit an input of 4"),
    ],
)
def test_a_convolution_that_does_not_fit(body: str, weight: tuple[int, ...], sentence: str) -> None:
    shown = compile_error(body, IMAGES, torch.rand(weight))
    assert shown == f"[lowering] aten::conv2d at <string>: {sentence}{MISFIT}"


def test_what_pytorch_refuses_is_told_with_its_words() -> None:
    said = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"
    shown = compile_error("x.sum([y.size(0)])", MATRIX, dynamic((1, 2, 3), 4))
    assert shown == f"[lowering] aten::sum.dim_IntList at <string>: {said}{MISFIT}"


# ---- engine, assembly, runtime ----


def test_an_engine_that_cannot_be_built_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHTRT_ENGINE_PATH", str(TEST_ENGINES))
    for target in ([], ["sm_1"]):
        with pytest.raises(RuntimeError, match="refusing does not know the device") as error:
            torch_tensorrt.compile(
                torch.nn.ReLU(), inputs=[MATRIX], engine="refusing", target=target
            )
        assert str(error.value).endswith(f"target {(target or [''])[0]!r}")


def test_an_engine_that_cannot_leave_its_network_out() -> None:
    shown = error_of(torch.nn.ReLU(), [MATRIX], engine="openvino", portable=False)
    assert shown == said(
        "engine",
        "portable is False, but openvino builds its engines from the Network "
        "that the artifact carries; leave portable at True",
    )


def test_a_method_that_computes_nothing() -> None:
    script = torch.jit.script(torch.nn.Identity())
    message = r"^\[assembly\] forward computes nothing that an engine could run$"
    with pytest.raises(NotImplementedError, match=message):
        torch_tensorrt.ts.convert_method_to_trt_engine(script, inputs=[MATRIX])


def test_layer_info_where_no_file_can_be() -> None:
    engine = torch_tensorrt.convert_method_to_trt_engine(torch.nn.ReLU(), inputs=[MATRIX])
    path = Path(__file__) / "info.txt"
    with pytest.raises(ValueError, match=r"\[runtime\] cannot write ") as error:
        torch_tensorrt.runtime.TorchTensorRTModule(engine).dump_layer_info(str(path))
    assert str(error.value) == f"[runtime] cannot write {path}"


def test_examples_of_another_batch_that_are_fewer() -> None:
    with pytest.raises(ValueError, match=r"^additional_inputs has 1 tensors, expected 2$"):
        generate_input_specs([MATRIX, MATRIX], LowerSetting(), additional_inputs=[MATRIX])
