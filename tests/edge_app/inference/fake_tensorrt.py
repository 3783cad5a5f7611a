"""TensorRT and a GPU without either: the same names, signatures and return values.

Results are real: OpenVINO runs the ONNX that was parsed, from and to the addresses that were given.
Device memory is host memory that only the device's own copies reach. ``trouble`` makes the next
call of that name fail as the real one fails.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np

from edge_app.errors import EngineError
from edge_app.inference.silent_openvino import CORE

__version__ = "10.3.0"
trouble: dict[str, int] = {}
"""How many times the calls of a name still succeed before one fails; 0 fails at once."""


def _fails(name: str) -> bool:
    if name not in trouble:
        return False
    trouble[name] -= 1
    if trouble[name] < 0:
        del trouble[name]
        return True
    return False


class _Enum(int):
    pass


class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = _Enum(1)


class MemoryPoolType:
    WORKSPACE = _Enum(0)


class TensorIOMode:
    NONE, INPUT, OUTPUT = _Enum(0), _Enum(1), _Enum(2)


class DataType:
    FLOAT, UINT8 = _Enum(0), _Enum(6)


def nptype(trt_type: Any) -> Any:
    return {DataType.FLOAT: np.float32, DataType.UINT8: np.uint8}[trt_type]


class Logger:
    WARNING = _Enum(2)

    def __init__(self, min_severity: Any = WARNING) -> None:
        self.min_severity = min_severity


class IProgressMonitor:
    def __init__(self) -> None:
        self.is_constructed = True


class ParserError:
    def __init__(self, text: str) -> None:
        self._text = text

    def desc(self) -> str:
        return self._text


class _Network:
    onnx = b""


class OnnxParser:
    def __init__(self, network: _Network, logger: Logger) -> None:
        self._network = network
        self.num_errors = 0

    def parse(self, model: bytes) -> bool:
        if _fails("parse"):
            self.num_errors = 1
            return False
        self._network.onnx = model
        return True

    def get_error(self, index: int) -> ParserError:
        return ParserError("no importer for operator Strange")


class _Profile:
    # The names of the parameters are TensorRT's.
    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:  # noqa: A002
        self.name, self.least, self.most = input, tuple(min), tuple(max)


class _TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content + b"+"


class _Config:
    progress_monitor: Any = None
    builder_optimization_level = 3

    def __init__(self) -> None:
        self.profiles: list[_Profile] = []
        self.pools: dict[int, int] = {}
        self._timing: _TimingCache | None = None

    def set_memory_pool_limit(self, pool: int, pool_size: int) -> None:
        self.pools[pool] = pool_size

    def add_optimization_profile(self, profile: _Profile) -> int:
        self.profiles.append(profile)
        return -1 if _fails("add_optimization_profile") else len(self.profiles) - 1

    def create_timing_cache(self, serialized_timing_cache: bytes) -> _TimingCache:
        return _TimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: _TimingCache, ignore_mismatch: bool) -> bool:
        if _fails("set_timing_cache"):
            return False
        self._timing = cache
        return True

    def get_timing_cache(self) -> _TimingCache | None:
        return self._timing


def _refuse_to_start(name: str) -> None:
    """As pybind11 does where TensorRT gives no object: a driver too old for it, no memory."""
    if _fails(name):
        raise TypeError("pybind11::init(): factory function returned nullptr")


class Builder:
    built = 0

    def __init__(self, logger: Logger) -> None:
        _refuse_to_start("Builder")

    def create_network(self, flags: int = 0) -> _Network:
        assert flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED, "weakly typed"
        return _Network()

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> bytes | None:
        if _fails("build_serialized_network"):
            return None
        Builder.built += 1
        config.progress_monitor.phase_start("Tactics", None, 2)
        for step in range(2):
            assert config.progress_monitor.step_complete("Tactics", step)
        config.progress_monitor.phase_finish("Tactics")
        told = {"version": __version__, "most": config.profiles[0].most[0]}
        return json.dumps(told).encode() + b"\n" + network.onnx


class Runtime:
    def __init__(self, logger: Logger) -> None:
        _refuse_to_start("Runtime")

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> _Engine | None:
        head, _, onnx = serialized_engine.partition(b"\n")
        if _fails("deserialize_cuda_engine") or json.loads(head)["version"] != __version__:
            return None
        return _Engine(onnx, json.loads(head)["most"])


class _Engine:
    def __init__(self, onnx: bytes, most: int) -> None:
        self.most = most
        network = CORE.read_model(onnx)
        self.input = network.inputs[0].get_any_name()
        self.outputs = [port.get_any_name() for port in network.outputs]
        self.shapes = {p.get_any_name(): p.get_partial_shape() for p in network.outputs}
        self.compiled = CORE.compile_model(
            network, "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        )
        self.num_io_tensors = 1 + len(self.outputs)

    def get_tensor_name(self, index: int) -> str:
        return [self.input, *self.outputs][index]

    def get_tensor_mode(self, name: str) -> int:
        return TensorIOMode.INPUT if name == self.input else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> int:
        return DataType.UINT8 if name == self.input else DataType.FLOAT

    def create_execution_context(self) -> _Context | None:
        return None if _fails("create_execution_context") else _Context(self)


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._request = engine.compiled.create_infer_request()
        self._shape: tuple[int, ...] = ()
        self._addresses: dict[str, int] = {}
        self._has_profile = False

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        self._has_profile = profile_index == 0
        return not _fails("set_optimization_profile_async")

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert self._has_profile
        if _fails("set_input_shape") or not 1 <= shape[0] <= self._engine.most:
            return False
        self._shape = tuple(shape)
        return name == self._engine.input

    def infer_shapes(self) -> list[str]:
        return [self._engine.input] if _fails("infer_shapes") else []

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name == self._engine.input:
            return self._shape
        return (self._shape[0], *(d.get_length() for d in list(self._engine.shapes[name])[1:]))

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._addresses[name] = memory
        return not _fails("set_tensor_address")

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Queues itself on the stream; like the real one, it has done nothing on return."""
        if _fails("execute_async_v3") or len(self._addresses) != self._engine.num_io_tensors:
            return False
        FakeStream.of[stream_handle].work.append(self._run)
        return True

    def _run(self) -> None:
        batch = _view(self._addresses[self._engine.input], self._shape, np.uint8)
        self._request.infer([batch.copy()])
        for name in self._engine.outputs:
            values = self._request.get_tensor(name).data
            _view(self._addresses[name], values.shape, np.float32)[...] = values


def _view(address: int, shape: Sequence[int], dtype: Any) -> Any:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = (ctypes.c_uint8 * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


class FakeStream:
    of: ClassVar[WeakValueDictionary[int, FakeStream]] = WeakValueDictionary()

    def __init__(self) -> None:
        self.work: list[Any] = []
        self.handle = id(self)
        FakeStream.of[self.handle] = self

    def synchronize(self) -> None:
        if _fails("synchronize"):
            raise RuntimeError("cuStreamSynchronize failed: an illegal memory access")
        while self.work:
            self.work.pop(0)()


class FakeBuffer:
    def __init__(self, size: int, owner: FakeGpu) -> None:
        self.memory = np.zeros(size, np.uint8)
        self.address, self.size, self._owner = int(self.memory.ctypes.data), size, owner
        owner.live += 1

    def close(self) -> None:
        self._owner.live -= 1


class FakeGpu:
    """The device layer on host memory; asserts that the device is current when it is used."""

    def __init__(self, name: str = "Orin") -> None:
        self.facts = {"gpu": name, "capability": "8.7", "processors": "16", "driver": "12060"}
        self.depth = 0
        self.live = 0

    @contextmanager
    def current(self, doing: str) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        except RuntimeError as error:
            raise EngineError(f"the GPU failed while {doing}: {error}") from error
        finally:
            self.depth -= 1

    def buffer(self, size: int) -> FakeBuffer:
        assert self.depth == 1
        return FakeBuffer(size, self)

    def pinned(self, shape: Sequence[int], dtype: Any) -> Any:
        assert self.depth == 1
        return np.zeros(tuple(shape), dtype)

    def stream(self) -> FakeStream:
        return FakeStream()

    def copy_in(self, source: Any, target: FakeBuffer, stream: FakeStream) -> None:
        assert source.flags.c_contiguous
        assert source.nbytes <= target.size
        stream.work.append(
            lambda: target.memory[: source.nbytes].__setitem__(
                slice(None), source.view(np.uint8).ravel()
            )
        )

    def copy_out(self, source: FakeBuffer, target: Any, stream: FakeStream) -> None:
        assert target.nbytes <= source.size
        stream.work.append(
            lambda: (
                target.view(np.uint8)
                .reshape(-1)
                .__setitem__(slice(None), source.memory[: target.nbytes])
            )
        )
