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


class EvidenceError(WorkerError):
    """What a worker observed does not show which kernels ran; costs its own variant only."""


class StackError(PerfsuiteError):
    """A stack that cannot be built or does not import; says which requirement and why."""


class MachineBusyError(PerfsuiteError):
    """Another run times on this machine; says whose and since when."""
