"""The FX frontend: trace, split, convert and execute; `compile` does all of it."""

from torch_tensorrt.fx._trace import trace
from torch_tensorrt.fx.fx2trt import TRTInterpreter, TRTInterpreterResult
from torch_tensorrt.fx.input_tensor_spec import InputTensorSpec, generate_input_specs
from torch_tensorrt.fx.lower import Lowerer, compile
from torch_tensorrt.fx.lower_setting import LowerSetting, LowerSettingBasic
from torch_tensorrt.fx.trt_module import TRTModule
from torch_tensorrt.fx.utils import LowerPrecision

__all__ = [
    "InputTensorSpec",
    "LowerPrecision",
    "LowerSetting",
    "LowerSettingBasic",
    "Lowerer",
    "TRTInterpreter",
    "TRTInterpreterResult",
    "TRTModule",
    "compile",
    "generate_input_specs",
    "trace",
]
