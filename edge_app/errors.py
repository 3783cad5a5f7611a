"""The errors of Dresscode, all of them.

::

    DresscodeError            anything that Dresscode says itself; shown without a traceback
    ├── ConfigError           the YAML file is wrong: every problem with file, line and key path
    ├── SourceError           a camera, recording or picture cannot be opened or read
    ├── ModelError            a model file is missing, damaged or breaks the model contract
    ├── EngineError           a network could not be run
    ├── DeliveryError         a broker or the outbox cannot be used as configured
    ├── ServiceError          the service cannot be installed, removed or started
    └── TruthError            a hand-made truth file cannot be used

A message states what was expected, what came and what to do.
"""

from __future__ import annotations


class DresscodeError(Exception):
    """Base of all errors that Dresscode raises itself; ``str()`` is fit to be shown."""


class ConfigError(DresscodeError):
    """The configuration is wrong.

    Attributes:
        problems: one line per problem, each with file, line, key path and what was expected.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(DresscodeError):
    """A camera, recording or picture cannot be opened or read."""


class ModelError(DresscodeError):
    """A model file is missing, damaged or breaks the model contract."""


class EngineError(DresscodeError):
    """A network could not be run."""


class DeliveryError(DresscodeError):
    """A broker or the outbox cannot be used as configured."""


class ServiceError(DresscodeError):
    """The service cannot be installed, removed or started."""


class TruthError(DresscodeError):
    """A hand-made truth file is missing, malformed or does not fit the recording."""
