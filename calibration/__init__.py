"""INT8: choose frames, measure ranges, write a Q/DQ ONNX, and gate it on accuracy."""
