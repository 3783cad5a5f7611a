"""Training: one flat loop, one module per model."""
