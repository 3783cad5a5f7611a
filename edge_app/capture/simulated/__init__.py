"""A simulated store entrance: rendered people, lights and camera, with an exact truth.

``sim://entrance?people_per_min=5&seed=1&fps=10&width=640&height=360`` is a source like a camera;
tests, load runs and training use it. Everything follows from the settings: the same settings give
the same frames bit for bit, in any order. Seeds below 1,000,000 are for measuring; seeds from
1,000,000 on are for training. Nothing is ever trained on a measuring seed.
"""

from edge_app.capture.simulated.entrance import SimulatedEntrance
from edge_app.capture.simulated.settings import SimulationSettings
from edge_app.capture.simulated.training import FIRST_TRAINING_SEED, random_scene
from edge_app.capture.simulated.views import PersonView, Rendered

__all__ = [
    "FIRST_TRAINING_SEED",
    "PersonView",
    "Rendered",
    "SimulatedEntrance",
    "SimulationSettings",
    "random_scene",
]
