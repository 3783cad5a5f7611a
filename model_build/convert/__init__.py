"""`python -m model_build data`: data sets in any of the known layouts to COCO JSON."""
