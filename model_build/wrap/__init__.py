"""Common detectors of others, wrapped into the model contract by nodes around their graph."""
