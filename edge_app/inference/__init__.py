"""Running the networks: models and their metadata, pre-processing, engines."""
