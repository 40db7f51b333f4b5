"""Training: data and a module in, parameters and the course of the loss out."""

from symprop.train.data import load_arrays, save_arrays
from symprop.train.loop import TrainResult, train

__all__ = ["TrainResult", "load_arrays", "save_arrays", "train"]
