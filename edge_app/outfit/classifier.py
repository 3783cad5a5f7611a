"""Any classifier of the model contract: the category of a garment's crop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_app.errors import EngineError
from edge_app.flow import Cuts, Float32, UInt8
from edge_app.inference.model import Model
from edge_app.ports import Engine


class Classifier:
    """Says which of the fifteen categories a garment is, and how it looks."""

    def __init__(self, model: Model, engine: Engine) -> None:
        self._model = model
        self._engine = engine

    def classify(
        self, garments: Sequence[tuple[UInt8, npt.NDArray[np.int64]]]
    ) -> tuple[Float32, Float32]:
        """Classify garments, all in one network call.

        Args:
            garments: per garment its picture, uint8 ``[h, w, 3]`` BGR, and its box in it with the
                margin of the model contract, int64 ``[4]`` xyxy.

        Returns:
            Probabilities float32 ``[M, 15]`` and unit-length embeddings float32 ``[M, D]``.

        Raises:
            EngineError: the network failed, or gave numbers that are not finite.
        """
        pictures, boxes = zip(*garments, strict=True)
        cuts = Cuts(pictures, np.stack(boxes), self._model.input_size, "stretch")
        answer = self._engine.infer(cuts)
        probabilities, embedding = answer["probabilities"], answer["embedding"]
        if not (np.isfinite(probabilities).all() and np.isfinite(embedding).all()):
            raise EngineError(f"{self._model.path}: the network gave numbers that are not finite")
        return probabilities, embedding
