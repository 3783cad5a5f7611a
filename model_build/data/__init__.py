"""Data sets in their published layouts, and the pictures made from them."""
