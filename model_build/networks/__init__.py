"""The networks of Dresscode: backbones, the garment detector and the classifier."""
