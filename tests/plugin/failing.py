"""The network of a model that fails when it is run; imported by workers alone."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import time

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


class FaultyForward(torch.nn.Module):
    """A tiny network with a fault of the given name, where TORCH_FAULTY is set in its worker's environment."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.faulty = "TORCH_FAULTY" in os.environ
        self.passes = 0
        self.kept: list[torch.Tensor] = []
        self.layer = torch.nn.Conv2d(3, 8, 7, stride=4)
        self.head = torch.nn.Linear(8, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.layer(images)
        if self.name == "double":  # on either side: most of the work is not in FP32
            wide = images.flatten(1)[:, :4096].double()
            features = features + 0 * (wide @ torch.ones(4096, 4096, dtype=torch.double)).mean().float()
        if self.faulty and self.name == "slows":
            for _ in range(4):
                features = self.layer(images)
        # TORCH_FAULTY names a CPU: whose worker has it, and no other instance's, is slow.
        if self.name == "slow-seat" and os.environ.get("TORCH_FAULTY") in {str(cpu) for cpu in os.sched_getaffinity(0)}:
            time.sleep(0.02)
        self.passes += 1
        if self.faulty and self.name == "late" and self.passes == 1:
            time.sleep(3)
        if self.name == "grows":
            time.sleep(0.001)  # on either side: fewer passes, else they keep gigabytes
            if self.faulty:
                self.kept.append(torch.ones(1 << 15))  # 128 KiB
        if self.faulty and self.name == "stalls":
            for _ in range(40 if self.passes % 10 == 0 else 0):
                features = self.layer(images)
        output: torch.Tensor = self.head(features.mean(dim=(2, 3)))
        if self.faulty and self.name == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.faulty and self.name == "negated":
            return -output
        if torch.is_autocast_enabled("cpu"):
            if self.faulty and self.name == "wrong":
                return output * 1.5
            if self.name == "wrong-alone" and len(images) == 1:  # right at the shape that correctness is tested at
                return output * 1.5
        return output
