"""Torch on one thread: tiny networks gain nothing from more, and lose much on busy cores."""

import torch

torch.set_num_threads(1)
