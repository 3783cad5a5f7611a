"""Data sets in their published layouts, each read into the same values."""
