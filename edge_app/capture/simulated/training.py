"""Strongly varied scenes to train on."""

from __future__ import annotations

import numpy as np

from edge_app.capture.simulated.entrance import SimulatedEntrance
from edge_app.capture.simulated.settings import SimulationSettings

FIRST_TRAINING_SEED = 1_000_000
"""Seeds below are for measuring and are never trained on; seeds from here on are for training."""

_SIZES = ((640, 360), (640, 480), (768, 432), (854, 480), (960, 540), (480, 270), (1280, 720))


def random_scene(rng: np.random.Generator) -> SimulatedEntrance:
    """Draw a scene for training: view, camera, size, lights, store, crowd, all strongly varied.

    Seeds from 1,000,000 on are for training and seeds below for measuring; scenes drawn here
    always have a training seed. Making a scene takes as long as tens of frames, so take several
    frames of each, spread over its first minutes::

        scene = random_scene(rng)
        pictures = [scene.render(int(index)) for index in rng.integers(50, 3000, 12)]
    """
    width, height = _SIZES[int(rng.choice(len(_SIZES), p=[0.4, 0.1, 0.15, 0.1, 0.1, 0.1, 0.05]))]
    return SimulatedEntrance(
        SimulationSettings(
            people_per_min=float(np.exp(rng.uniform(np.log(6), np.log(28)))),
            seed=int(rng.integers(FIRST_TRAINING_SEED, 2**53)),
            width=width,
            height=height,
            group_share=float(rng.uniform(0.1, 0.6)),
            u_turn_share=0.06,
            linger_share=0.1,
            exit_share=float(rng.uniform(0.2, 0.4)),
            umbrella_share=0.04,
            trolley_share=0.05,
            style=float(rng.uniform(0.6, 1.7)),
        )
    )
