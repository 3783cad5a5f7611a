"""How good a model is, on photos, rendered scenes and recordings."""
