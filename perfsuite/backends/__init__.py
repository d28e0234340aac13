"""The libraries that prepare a model for inference."""

from perfsuite.backends.base import Backend
from perfsuite.backends.ipex import Ipex
from perfsuite.backends.openvino import OpenVino
from perfsuite.backends.stock import Stock

#: The one registry. The first whose package a stack has is what that stack is there for: PyTorch, which all have, is
#: the last.
BACKENDS: tuple[Backend, ...] = (Ipex(), OpenVino(), Stock())
