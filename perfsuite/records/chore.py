"""What a run's wall time goes to beside measuring."""

from enum import StrEnum


class Chore(StrEnum):
    """What is done for the timed workers, and not by them."""

    IMPORTING = "importing"
    STARTING = "starting"
    DATA = "making data"
    SAVING = "saving artefacts"
    REFERENCES = "running references"
    OUTPUTS = "answering outputs"
    OBSERVING = "observing"
    CONFIRMING = "confirming"
