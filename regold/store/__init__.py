"""The run directory and how to read it."""

from regold.store.rundir import StepPlace, Store, read_manifest
from regold.store.table import Table

__all__ = ["StepPlace", "Store", "Table", "read_manifest"]
