"""Training: data and a module in, parameters and the course of the loss out."""

from symprop.train.course import TrainingError, TrainResult
from symprop.train.data import load_arrays, save_arrays
from symprop.train.loop import train
from symprop.train.report import Epoch

__all__ = ["Epoch", "TrainResult", "TrainingError", "load_arrays", "save_arrays", "train"]
