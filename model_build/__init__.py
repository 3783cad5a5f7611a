"""Builds the models that Dresscode ships: data, networks, training, evaluation, export."""
