"""Fuses two records into one, or mends one: model operators in a loop under a checklist whose loss must fall."""

from regold.fusing.loop import FUSE_PROMPTS, MEND_PROMPTS, Limits, Version
from regold.fusing.pairs import Fusion, fuse_pair, mend_one, refine_one, source_of

__all__ = [
    "FUSE_PROMPTS",
    "MEND_PROMPTS",
    "Fusion",
    "Limits",
    "Version",
    "fuse_pair",
    "mend_one",
    "refine_one",
    "source_of",
]
