"""The models in INT8, for their cards: what it costs in accuracy and gains in speed."""
