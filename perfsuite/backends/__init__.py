"""The libraries that prepare a model for inference."""

from perfsuite.backends.base import Backend
from perfsuite.backends.ipex import Ipex
from perfsuite.backends.stock import Stock

BACKENDS: tuple[Backend, ...] = (Ipex(), Stock())
