"""Any detector of the model contract: people in frames, or garments in person crops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_app.errors import EngineError
from edge_app.flow import Cuts, Detections, Float32, UInt8, whole
from edge_app.geometry import Letterbox, non_maximum_suppression
from edge_app.inference.model import Model
from edge_app.ports import Engine


class Detector:
    """Finds the objects of one detector's labels in pictures of any size.

    Args:
        model: a detector of the model contract.
        engine: that runs it.
        min_score: weaker boxes are dropped.
        max_iou: of two boxes of a label that overlap by more than this, the better one stays.
    """

    def __init__(self, model: Model, engine: Engine, min_score: float, max_iou: float) -> None:
        self._model = model
        self._engine = engine
        self._min_score = min_score
        self._max_iou = max_iou

    def detect(
        self,
        pictures_bgr: Sequence[UInt8],
        boxes: Sequence[npt.NDArray[np.int64]] | None = None,
    ) -> list[Detections]:
        """Find objects, all pictures in one network call (or few, where the engine splits it).

        Args:
            pictures_bgr: uint8 ``[h, w, 3]`` each, BGR, sizes may differ.
            boxes: what to look at in each, int64 ``[4]`` xyxy in whole pixels; None for all of it.

        Returns:
            One :class:`Detections` per picture, best first, in pixels from its box's corner.

        Raises:
            EngineError: the network failed, or gave numbers that are not finite.
        """
        if not pictures_bgr:
            return []
        spans = whole(pictures_bgr) if boxes is None else np.stack(boxes)
        cuts = Cuts(pictures_bgr, spans, self._model.input_size, "letterbox")
        out = self._engine.infer(cuts)
        if not all(np.isfinite(values).all() for values in out.values()):
            raise EngineError(f"{self._model.path}: the network gave numbers that are not finite")
        wears = out.get("wears")
        return [
            self._decode(
                out["boxes"][i],
                out["scores"][i],
                None if wears is None else wears[i],
                Letterbox.fit(size, cuts.input_size),
                size,
            )
            for i, size in enumerate(cuts.sizes)
        ]

    def _decode(
        self,
        boxes: Float32,
        scores: Float32,
        wears: Float32 | None,
        fit: Letterbox,
        size: tuple[int, int],
    ) -> Detections:
        """Boxes ``[K, 4]`` and scores ``[K, C]`` of one picture as its detections."""
        candidates, labels = np.nonzero(scores >= self._min_score)
        chosen = fit.to_picture(boxes[candidates])
        np.maximum(chosen, 0.0, out=chosen)
        np.minimum(chosen, np.array([*size, *size], np.float32), out=chosen)
        strength = scores[candidates, labels]
        # Moving each label's boxes to a place of their own suppresses within labels only.
        apart = chosen + (labels * 2.0 * max(size))[:, None].astype(np.float32)
        keep = non_maximum_suppression(apart, strength, self._max_iou)
        sides = chosen[keep, 2:] - chosen[keep, :2]
        keep = keep[(sides >= 1.0).all(axis=1)]
        return Detections(chosen[keep], strength[keep], labels[keep].astype(np.int64), wears)
