"""Running the networks: models and their metadata, pre-processing, engines."""

import sys

# OpenVINO reports every import to its makers' statistics, over the network, unless this package
# cannot be found; a store's box speaks to its broker and cameras only.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
