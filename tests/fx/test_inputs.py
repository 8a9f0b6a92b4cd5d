"""InputTensorSpec and what else describes inputs."""

from __future__ import annotations

import pytest
import torch
from torch_tensorrt import Input
from torch_tensorrt.fx import InputTensorSpec, LowerPrecision, LowerSetting, generate_input_specs
from torch_tensorrt.fx._inputs import examples, to_inputs

RANGE = [((1, 4), (2, 4), (8, 4))]


def test_fields_and_defaults() -> None:
    spec = InputTensorSpec((2, 3), torch.float16)
    assert spec == ((2, 3), torch.float16, torch.device("cpu"), (), True)


def test_of_a_tensor() -> None:
    (spec,) = InputTensorSpec.from_tensors([torch.ones(2, 3, dtype=torch.int32)])
    assert (tuple(spec.shape), spec.dtype, spec.device.type) == ((2, 3), torch.int32, "cpu")


def test_dynamic_batch_is_dimension_0_of_those_that_share_it() -> None:
    tensors = [torch.ones(2, 3), torch.ones(5), torch.ones(2)]
    specs = InputTensorSpec.from_tensors_with_dynamic_batch_size(tensors, (1, 2, 8))
    assert [tuple(s.shape) for s in specs] == [(-1, 3), (5,), (-1,)]
    assert specs[0].shape_ranges == [((1, 3), (2, 3), (8, 3))]
    assert specs[1].shape_ranges == ()


def test_dynamic_batch_at_given_dimensions() -> None:
    specs = InputTensorSpec.from_tensors_with_dynamic_batch_size(
        [torch.ones(3, 2), torch.ones(3)], (1, 2, 8), opt_profile_replica=2, batch_dims=[1, -1]
    )
    assert specs[0].shape_ranges == [((3, 1), (3, 2), (3, 8))] * 2
    assert specs[1].shape == (3,)


def test_random_tensors_fit() -> None:
    spec = InputTensorSpec((-1, 4), torch.float16, shape_ranges=RANGE)
    assert [spec.to_random_tensor(i).shape[0] for i in range(3)] == [1, 2, 8]
    ids = InputTensorSpec.create_inputs_from_specs([InputTensorSpec((3,), torch.int64)])
    assert (ids[0].dtype, ids[0].shape) == (torch.int64, (3,))


def test_several_profiles_become_their_union() -> None:
    spec = InputTensorSpec(
        (-1, 4), torch.float32, shape_ranges=[*RANGE, ((4, 4), (16, 4), (32, 4))]
    )
    made = spec.to_input()
    assert (made.min_shape, made.opt_shape, made.max_shape) == ((1, 4), (2, 4), (32, 4))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (InputTensorSpec((-1, 4), torch.float32), r"\(-1, 4\) and shape_ranges is empty"),
        (InputTensorSpec((-1, 5), torch.float32, shape_ranges=RANGE), r"\(-1, 5\), but a range"),
        (InputTensorSpec((-1,), torch.float32, shape_ranges=RANGE), r"\(-1,\), but a range"),
    ],
)
def test_ranges_that_contradict_the_shape(spec: InputTensorSpec, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec.to_input()


def test_a_batch_range_that_is_out_of_order() -> None:
    with pytest.raises(ValueError, match=r"\(4, 2, 8\), expected 0 <= min <= opt <= max"):
        InputTensorSpec.from_tensors_with_dynamic_batch_size([torch.ones(2)], (4, 2, 8))


def test_batch_dims_of_another_length() -> None:
    with pytest.raises(ValueError, match="batch_dims has 2 entries, expected 1"):
        InputTensorSpec.from_tensors_with_dynamic_batch_size(
            [torch.ones(2)], (1, 2, 8), batch_dims=[0, 0]
        )


def test_specs_of_a_setting() -> None:
    inputs = [torch.ones(2, 3)]
    (dynamic,) = generate_input_specs(inputs, LowerSetting(max_batch_size=16))
    assert dynamic.shape_ranges == [((1, 3), (2, 3), (16, 3))]
    (fixed,) = generate_input_specs(inputs, LowerSetting(dynamic_batch=False))
    assert tuple(fixed.shape) == (2, 3)
    (other,) = generate_input_specs(inputs, LowerSetting(max_batch_size=9), [torch.ones(2, 5)])
    assert other.shape_ranges == [((2, 1), (2, 3), (2, 9))]
    (own,) = generate_input_specs(inputs, LowerSetting(input_specs=[fixed]))
    assert own is fixed


def test_additional_inputs_that_differ_in_more_than_the_batch() -> None:
    with pytest.raises(ValueError, match=r"additional_inputs\[0\] has the shape \(4, 5\)"):
        generate_input_specs([torch.ones(2, 3)], LowerSetting(), [torch.ones(4, 5)])


def test_all_descriptions_of_an_input() -> None:
    spec = InputTensorSpec((-1, 4), torch.float32, shape_ranges=RANGE)
    given = [torch.ones(2), spec, Input((3, 4)), (2, 3), {"a": [spec]}, None, 1.5]
    trees = to_inputs(given)
    assert trees[1].max_shape == (8, 4)
    assert trees[3].opt_shape == (2, 3)
    assert trees[4]["a"][0].opt_shape == (2, 4)
    assert [t.shape[0] for t in examples(trees, torch.nn.Identity())[:4]] == [2, 2, 3, 2]


def test_an_input_of_a_foreign_type() -> None:
    with pytest.raises(ValueError, match="an input is <object object"):
        to_inputs([object()])


def test_inputs_that_are_no_list() -> None:
    with pytest.raises(ValueError, match="inputs is no list"):
        to_inputs(torch.ones(2))


def test_precisions() -> None:
    assert LowerPrecision("fp16") is LowerPrecision.FP16
    assert [p.dtype for p in LowerPrecision] == [
        torch.float32,
        torch.float16,
        torch.int8,
        torch.bfloat16,
    ]
    with pytest.raises(ValueError, match="'fp8', expected one of fp32, fp16, int8, bf16"):
        LowerPrecision.from_str("fp8")
