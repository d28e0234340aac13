"""The errors that perfsuite raises on purpose; each message says what to do next."""


class PerfsuiteError(Exception):
    """Anything a user can act on; shown without a traceback."""


class UsageError(PerfsuiteError):
    """An option, setting or argument that cannot be right."""


class BaselineError(PerfsuiteError):
    """A baseline file that cannot be trusted: corrupt, truncated, or not perfsuite's."""


class AssetError(PerfsuiteError):
    """Weights, photographs or a vocabulary that could not be had or are not what they should be."""


class WorkerError(PerfsuiteError):
    """One worker failed: it crashed, hung, sent garbage, or raised; costs its own variant only."""


class StandError(WorkerError):
    """Of several workers that are stepped in turn the one of this variant and rig failed: ``number`` in their order."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class StaleArtefactError(WorkerError):
    """A deployed variant's artefact was saved from other weights than the model's; both digests are whole."""

    def __init__(self, variant: str, *, weights_sha256: str, artefact_sha256: str) -> None:
        super().__init__(
            f"{variant}: stale artefact: it was saved from weights {artefact_sha256[:12]}, the model's are "
            f"{weights_sha256[:12]}; save it again"
        )
        self.weights_sha256 = weights_sha256
        self.artefact_sha256 = artefact_sha256


class EvidenceError(WorkerError):
    """What a worker observed does not show which kernels ran; costs its own variant only."""


class StackError(PerfsuiteError):
    """A stack that cannot be built or does not import; says which requirement and why."""


class HistoryError(PerfsuiteError):
    """A history that cannot be read or written; tells its address without the password."""


class MachineBusyError(PerfsuiteError):
    """Another run times on this machine; says whose and since when."""
