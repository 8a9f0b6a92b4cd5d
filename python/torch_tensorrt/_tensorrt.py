"""NVIDIA's Python modules, `tensorrt` or `tensorrt_rtx`: builds what the TensorRT plugin's programs
say, and runs the plans.

A program is a list of calls under the names of those modules' API, so that there is no table of
layers here: methods, attributes and enums are looked up by name.

    python _tensorrt.py version tensorrt_rtx
    python _tensorrt.py build tensorrt_rtx <folder with program.json and weights>

As a program it imports nothing of this package.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_DTYPES = {
    "f32": "FLOAT",
    "f16": "HALF",
    "bf16": "BF16",
    "i32": "INT32",
    "i64": "INT64",
    "i8": "INT8",
    "u8": "UINT8",
    "b": "BOOL",
    "f8": "FP8",
    "i4": "INT4",
}
# Bits of one element.
_SIZES = {
    **{"f32": 32, "f16": 16, "bf16": 16, "i32": 32, "i64": 64},
    **{"i8": 8, "u8": 8, "b": 8, "f8": 8, "i4": 4},
}
# Of a plugin's fields: NumPy's type and TensorRT's. NumPy has no bfloat16.
_FIELDS = {
    "f32": ("float32", "FLOAT32"),
    "f16": ("float16", "FLOAT16"),
    "bf16": ("uint16", "BF16"),
    "f64": ("float64", "FLOAT64"),
    "i64": ("int64", "INT64"),
    "i32": ("int32", "INT32"),
    "i8": ("int8", "INT8"),
}
# The object of a program's steps that is the registry of plugins.
_REGISTRY = 0xFFFFFFFF
_FLAGS = {
    "sparse_weights": "SPARSE_WEIGHTS",
    "refit": "REFIT",
    "refit_identical": "REFIT_IDENTICAL",
    "version_compatible": "VERSION_COMPATIBLE",
    "strip_weights": "STRIP_PLAN",
    "weight_streaming": "WEIGHT_STREAMING",
}


def module_of(engine: str) -> Any:
    """NVIDIA's module.

    Raises:
        ImportError: it is not installed.
    """
    return importlib.import_module(engine)


def version(engine: str) -> str:
    """The version of NVIDIA's module."""
    return str(module_of(engine).__version__)


def build(engine: str, program: str, weights: Sequence[Any]) -> bytes:
    """The serialized engine.

    Args:
        engine: "tensorrt" or "tensorrt_rtx".
        program: the plugin's JSON: steps, dtypes of the weights, profiles, options.
        weights: the bytes of each of them.

    Raises:
        RuntimeError: TensorRT refuses a call or cannot build; the message has its own words.
    """
    with _without_remains():
        return _Player(module_of(engine), json.loads(program), weights).build()


def load(engine: str, plan: Any) -> Engine:
    """A plan on the current GPU.

    Args:
        engine: "tensorrt" or "tensorrt_rtx".
        plan: what `build` gave.

    Raises:
        RuntimeError: TensorRT refuses the plan, with its words.
    """
    with _without_remains():
        return Engine(module_of(engine), plan)


class Engine:
    """A plan on the current GPU; any number of contexts may run at the same time."""

    def __init__(self, trt: Any, plan: Any) -> None:
        self.trt, self.errors = trt, list[str]()
        self.logger = _logger(trt, self.errors)
        _register_plugins(trt)  # the plan may have some
        with _without_collections():
            self.runtime = trt.Runtime(self.logger)
        self.engine = self.runtime.deserialize_cuda_engine(plan)
        if self.engine is None:
            raise RuntimeError("; ".join(self.errors) or "the plan does not load")

    def tensors(self) -> list[tuple[str, str, bool, bool]]:
        """Name, dtype, is it an input and is it on the host, in the network's order."""
        trt, engine = self.trt, self.engine
        dtypes = {getattr(trt.DataType, theirs, None): ours for ours, theirs in _DTYPES.items()}
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        return [
            (
                name,
                dtypes[engine.get_tensor_dtype(name)],
                engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                engine.get_tensor_location(name) == trt.TensorLocation.HOST,
            )
            for name in names
        ]

    def create_context(self) -> Context:
        return Context(self)

    def streamable_bytes(self) -> int:
        return int(self.engine.streamable_weights_size)

    def budget(self) -> int:
        return int(self.engine.weight_streaming_budget_v2)

    def automatic_budget(self) -> int:
        return int(self.engine.get_weight_streaming_automatic_budget())

    def set_budget(self, size: int) -> None:
        self.engine.weight_streaming_budget_v2 = size
        if self.budget() != size:
            raise RuntimeError(f"TensorRT refuses a weight budget of {size} bytes{self.why()}")

    def why(self) -> str:
        """What TensorRT said since it was last asked."""
        said = "; ".join(self.errors)
        self.errors.clear()
        return f": {said}" if said else ""


class Context:
    """One execution at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.context = engine.engine.create_execution_context()
        # They must live until the call is over.
        self.allocators: dict[str, Any] = {}
        self._check(self.context is not None, "makes no execution context")

    def set_input_shape(self, name: str, dims: list[int]) -> None:
        self._check(self.context.set_input_shape(name, dims), f"refuses {dims} for {name}")

    def set_address(self, name: str, address: int) -> None:
        self._check(self.context.set_tensor_address(name, address), f"refuses memory for {name}")

    def shape(self, name: str) -> list[int]:
        return [int(dim) for dim in self.context.get_tensor_shape(name)]

    def set_allocator(self, name: str, allocate: Any, set_dims: Any) -> None:
        """`allocate` gives memory of so many bytes, `set_dims` takes the result's sizes."""
        self.allocators[name] = _allocator(self.engine.trt, allocate, set_dims)
        given = self.context.set_output_allocator(name, self.allocators[name])
        self._check(given, f"takes no allocator for {name}")

    def enqueue(self, stream: int) -> None:
        self._check(self.context.execute_async_v3(stream), "cannot run the engine")

    def _check(self, accepted: bool, refusal: str) -> None:
        if not accepted:
            raise RuntimeError(f"TensorRT {refusal}{self.engine.why()}")


class _Player:
    def __init__(self, trt: Any, program: dict[str, Any], weights: Sequence[Any]) -> None:
        self.trt, self.program, self.options = trt, program, program["options"]
        self.errors: list[str] = []
        self.logger = _logger(trt, self.errors)
        with _without_collections():
            self.builder = trt.Builder(self.logger)
        flags = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        self.network = self.builder.create_network(0 if flags is None else 1 << int(flags))
        self.config = self.builder.create_builder_config()
        self.objects: dict[int, Any] = {0: self.network}
        # They must live until the engine is built.
        self.weights, self.fields = weights, list[Any]()

    def build(self) -> bytes:
        for kind, result, target, name, arguments in self.program["steps"]:
            self._step(kind, result, target, name, [self._value(a) for a in arguments])
        for name, dtype, dims in self.program["outputs"]:
            self._check_output(name, dtype, dims)
        self._configure()
        self._read_timing_cache()
        plan = self.builder.build_serialized_network(self.network, self.config)
        if plan is None or self.errors:
            raise RuntimeError("; ".join(self.errors) or "no engine, and no reason given")
        self._write_timing_cache()
        return bytes(plan)

    def _read_timing_cache(self) -> None:
        path = self.options["timing_cache_path"]
        if not path:
            return
        data = Path(path).read_bytes() if Path(path).exists() else b""
        cache = self.config.create_timing_cache(data)
        if cache is None or not self.config.set_timing_cache(cache, False):
            # A file of another GPU or version: TensorRT says so, and it is no error of this build.
            self.config.set_timing_cache(self.config.create_timing_cache(b""), False)
        self.errors.clear()

    def _write_timing_cache(self) -> None:
        path = self.options["timing_cache_path"]
        cache = self.config.get_timing_cache() if path else None
        if cache is None:
            return
        # Other processes may read the file meanwhile.
        temporary = Path(f"{path}.{os.getpid()}.tmp")
        temporary.write_bytes(bytes(cache.serialize()))
        temporary.replace(path)

    def _step(self, kind: str, result: int, target: int, name: str, values: list[Any]) -> None:
        _plugin_errors.clear()
        if target == _REGISTRY:
            self.objects[result] = self._creator(*values)
            return
        owner = self.objects[target]
        shown = f"{type(owner).__name__}.{name}"
        try:
            if kind == "set":
                setattr(owner, name, values[0])
                given = True
            else:
                given = getattr(owner, name)(*values)
        except Exception as error:  # a plugin of a user's may raise anything
            raise RuntimeError(f"{shown}: {error}") from error
        # TensorRT logs what is wrong with a call, and goes on.
        if self.errors or (result and given is None):
            said = [*self.errors, *_plugin_errors] if given is None else self.errors
            raise RuntimeError(f"{shown}: {'; '.join(said) or 'refused'}")
        if result:
            self.objects[result] = given

    def _creator(self, name: str, version: str, namespace: str) -> Any:
        """The creator of a plugin, of those that are registered in this process."""
        _register_plugins(self.trt)
        registry = self.builder.get_plugin_registry()
        creator = registry.get_creator(name, version, namespace)
        if creator is not None:
            return creator
        self.errors.clear()
        known = [c for c in registry.all_creators_recursive if hasattr(c, "plugin_version")]
        names = difflib.get_close_matches(name, {c.name for c in known})
        near = [
            _identity(c.name, c.plugin_version, c.plugin_namespace)
            for c in known
            if c.name in names or not names
        ]
        raise RuntimeError(
            f"no plugin {_identity(name, version, namespace)} is registered in this process; "
            f"{'nearest' if names else 'registered'}: {'; '.join(near)}. Load the library that "
            "registers it before engines are built, and before they run"
        )

    def _check_output(self, name: str, dtype: str, dims: list[int]) -> None:
        """TensorRT's own inference must agree with the Network's types."""
        outputs = (self.network.get_output(i) for i in range(self.network.num_outputs))
        tensor = next(output for output in outputs if output.name == name)
        got = [int(dim) for dim in tensor.shape]
        # It may know a dimension less, or more: a dynamic one that can only be 1.
        fits = len(got) == len(dims) and all(
            a == b or -1 in (a, b) for a, b in zip(got, dims, strict=True)
        )
        if not fits or tensor.dtype != getattr(self.trt.DataType, _DTYPES[dtype]):
            raise RuntimeError(f"output {name} is {tensor.dtype} {got}, expected {dtype} {dims}")

    def _value(self, argument: Any) -> Any:
        if not isinstance(argument, dict):
            return argument
        ((kind, value),) = argument.items()
        if kind == "enum":
            return getattr(getattr(self.trt, value[0]), value[1])
        if kind == "dtype":
            return getattr(self.trt.DataType, _DTYPES[value])
        if kind == "dims":
            return self.trt.Dims(value)
        if kind == "ref":
            return self.objects[value]
        if kind == "refs":
            return [self.objects[index] for index in value]
        if kind == "fields":
            fields = [self._field(name, content) for name, content in value]
            return self.trt.PluginFieldCollection(fields)
        return self._weights(value) if value >= 0 else self.trt.Weights()

    def _field(self, name: str, content: str | int) -> Any:
        """Characters, or the weights of that index."""
        import numpy

        types = self.trt.PluginFieldType
        if isinstance(content, str):
            array, kind = numpy.array([*content.encode()], numpy.uint8), types.CHAR
        else:
            theirs, member = _FIELDS[self.program["weights"][content]]
            array = numpy.frombuffer(self.weights[content], theirs).copy()
            kind = getattr(types, member)
        self.fields.append(array)
        return self.trt.PluginField(name, array, kind)

    def _weights(self, index: int) -> Any:
        import numpy

        dtype, data = self.program["weights"][index], self.weights[index]
        array = numpy.frombuffer(data, dtype=numpy.uint8)
        kind = getattr(self.trt.DataType, _DTYPES[dtype])
        if array.size == 0:
            return self.trt.Weights(kind)
        return self.trt.Weights(kind, array.ctypes.data, array.size * 8 // _SIZES[dtype])

    def _configure(self) -> None:
        trt, config, options = self.trt, self.config, self.options
        if self.program["profiles"]:
            profile = self.builder.create_optimization_profile()
            for name, is_host, *points in self.program["profiles"]:
                give = profile.set_shape_input if is_host else profile.set_shape
                give(name, *points)
            config.add_optimization_profile(profile)
        for option, flag in _FLAGS.items():
            if options[option]:
                config.set_flag(self._member(trt.BuilderFlag, flag, option))
        if not options["tf32"]:
            config.clear_flag(trt.BuilderFlag.TF32)
        if options["hardware_compatible"]:
            config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
        if options["workspace_size"]:
            config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options["workspace_size"])
        if options["optimization_level"] >= 0:
            config.builder_optimization_level = options["optimization_level"]
        if options["average_timing_iterations"] > 1:
            config.avg_timing_iterations = options["average_timing_iterations"]
        if options["max_aux_streams"] >= 0:
            config.max_aux_streams = options["max_aux_streams"]
        if options["tiling_optimization_level"] != "none":
            level = options["tiling_optimization_level"].upper()
            config.tiling_optimization_level = getattr(trt.TilingOptimizationLevel, level)
        if options["l2_limit_for_tiling"] >= 0:
            config.l2_limit_for_tiling = options["l2_limit_for_tiling"]
        if options["target"]:
            self._aim(options["target"])

    def _aim(self, target: str) -> None:
        """Builds for that GPU, which need not be here."""
        trt, name = self.trt, target.upper().replace("_", "")
        if not hasattr(trt, "ComputeCapability"):
            raise RuntimeError(f"{trt.__name__} {trt.__version__} builds only for the GPU it is on")
        known = [member for member in dir(trt.ComputeCapability) if member.startswith("SM")]
        if name not in known:
            wanted = ", ".join(member.replace("SM", "sm_") for member in known)
            raise RuntimeError(f"target is {target!r}, expected one of {wanted}")
        self.config.num_compute_capabilities = 1
        self.config.set_compute_capability(getattr(trt.ComputeCapability, name), 0)

    def _member(self, enum: Any, name: str, option: str) -> Any:
        if not hasattr(enum, name):
            raise RuntimeError(
                f"setting '{option}': {self.trt.__name__} {self.trt.__version__} has no {name}"
            )
        return getattr(enum, name)


# Where a builder or a runtime is made, NVIDIA's library logs, which calls Python, while it holds a
# lock that destroying one takes too: a garbage collection in that call that destroys one waits
# forever.


@contextmanager
def _without_collections() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _without_remains() -> Iterator[None]:
    """NVIDIA's objects that an error's traceback would keep are destroyed here."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            traceback.clear_frames(cause.__traceback__)
            cause = cause.__cause__ or cause.__context__
        raise


# NVIDIA's plugins log to a logger of some builder's, which need not be that of the present one and
# may be gone without these references: a crash.
_lasting_loggers: list[Any] = []
_plugin_errors: list[str] = []
_registered: set[str] = set()


def _register_plugins(trt: Any) -> None:
    """NVIDIA's own plugins."""
    if trt.__name__ not in _registered:
        trt.init_libnvinfer_plugins(_logger(trt, _plugin_errors), "")
        _registered.add(trt.__name__)


def _identity(name: str, version: str, namespace: str) -> str:
    return f"{name!r} of version {version!r} in namespace {namespace!r}"


def _logger(trt: Any, errors: list[str]) -> Any:
    class Logger(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                errors.append(message)

    logger = Logger()
    _lasting_loggers.append(logger)
    return logger


def _allocator(trt: Any, allocate: Any, set_dims: Any) -> Any:
    class Allocator(trt.IOutputAllocator):
        def __init__(self) -> None:
            trt.IOutputAllocator.__init__(self)

        def reallocate_output(self, _name: str, _memory: int, size: int, _align: int) -> int:
            return int(allocate(size))

        def reallocate_output_async(
            self, _name: str, _memory: int, size: int, _align: int, _stream: int
        ) -> int:
            return int(allocate(size))

        def notify_shape(self, _name: str, dims: Any) -> None:
            set_dims([int(dim) for dim in dims])

    return Allocator()


def _main(arguments: list[str]) -> int:
    try:
        if arguments[0] == "version":
            print(version(arguments[1]))
            return 0
        folder = Path(arguments[2])
        program = (folder / "program.json").read_text()
        data, start, weights = (folder / "weights").read_bytes(), 0, []
        for size in json.loads(program)["sizes"]:
            weights.append(data[start : start + size])
            start += size
        (folder / "plan").write_bytes(build(arguments[1], program, weights))
    except Exception as error:  # one line for the program that asked
        print(" ".join(f"{type(error).__name__}: {error}".split()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
