"""The network of a model that fails when it is run; imported by workers alone."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile

import torch


class FailingForward(torch.nn.Module):
    """Works while its weights are made (``build``), fails when it is run by a prepared worker."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.layer = torch.nn.Conv2d(3, 1, 7)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.name == "crash":
            print("about to touch what is not mine", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.name == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self.name == "garbage":
            for fd in range(3, 20):
                try:
                    os.write(fd, b"\x00not json\n")
                except OSError:
                    continue
        elif self.name == "memory":
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            torch.zeros(1 << 34)
        elif self.name == "parent":
            tempfile.mkdtemp()
            subprocess.Popen(["sleep", "600"])
        output: torch.Tensor = self.layer(images).flatten(1)
        return output
