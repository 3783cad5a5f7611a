"""Networks on the CPU, through OpenVINO; the engine where there is no GPU."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np

from edge_app.errors import EngineError
from edge_app.flow import Batch, Cuts, Float32, UInt8
from edge_app.inference.model import Model
from edge_app.inference.openvino_guard import guard
from edge_app.inference.preprocess import pixels_of
from edge_app.inference.silent_openvino import CORE

Precision = Literal["f32", "bf16"]
STEPS = (8, 4, 2, 1)
"""Batch sizes that are compiled; other batches are run in parts of these sizes.

Static shapes let OpenVINO plan its memory and fold the shape arithmetic of the graph; one network
for every batch size that ever came by would fill the memory.
"""


class OpenVinoEngine:
    """One network on the CPU, in float32, or in INT8 where its file says so (Q/DQ pairs).

    Args:
        model: a model that keeps the contract.
        threads: CPU threads; 0 for all cores that the process may use.
        max_batch: most pictures in one call of the network.
        precision: of what the file has in float32. OpenVINO by itself takes bfloat16 where the
            processor has it, which costs accuracy.
    """

    def __init__(
        self, model: Model, threads: int = 0, max_batch: int = 8, precision: Precision = "f32"
    ) -> None:
        self._model = model
        self._settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads or len(os.sched_getaffinity(0)),
        }
        self._steps = [step for step in STEPS if step <= max_batch]
        self._requests: dict[int, Any] = {}
        self._cut: UInt8 = np.empty((0, 0, 0, 0), np.uint8)
        self._request(1)

    def _request(self, step: int) -> Any:
        """The compiled network for a batch size, compiled when first needed."""
        if step not in self._requests:
            width, height = self._model.input_size
            try:
                network = self._model.network.clone()
                guard(network)
                network.reshape([step, height, width, 3])
                compiled = CORE.compile_model(network, "CPU", self._settings)
                self._requests[step] = compiled.create_infer_request()
            except (RuntimeError, ValueError) as error:
                raise EngineError(
                    f"{self._model.path}: OpenVINO cannot compile it for a batch of {step}: {error}"
                ) from error
        return self._requests[step]

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        batch_nhwc = self._cut_out(batch) if isinstance(batch, Cuts) else batch
        parts = []
        start = 0
        while start < len(batch_nhwc):
            step = next(s for s in self._steps if s <= len(batch_nhwc) - start)
            parts.append(self._run(step, batch_nhwc[start : start + step]))
            start += step
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _cut_out(self, cuts: Cuts) -> UInt8:
        """The batch, in memory that is kept for the next."""
        if len(self._cut) < len(cuts):
            width, height = self._model.input_size
            self._cut = np.empty((len(cuts), height, width, 3), np.uint8)
        return pixels_of(cuts, self._cut[: len(cuts)])

    def _run(self, step: int, batch_nhwc: UInt8) -> dict[str, Float32]:
        request = self._request(step)
        try:
            request.infer([batch_nhwc], share_inputs=True)
            # Copies: the request's own memory is overwritten by the next call.
            return {name: np.array(request.get_tensor(name).data) for name in self._model.outputs}
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._model.path}: OpenVINO failed: {error}") from error

    def close(self) -> None:
        """Free the compiled networks."""
        self._requests.clear()
