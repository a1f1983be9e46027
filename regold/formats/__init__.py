"""Read instruction data in the formats people have, and write it back without losing anything."""

from __future__ import annotations

from regold.formats.dataset import Card
from regold.formats.exports import TARGETS, Exported, ExportRow, export
from regold.formats.inspection import Column, Inspection, inspect
from regold.formats.read import Source, read, read_rows
from regold.formats.restore import conversation, rejoin, restore, split_id, with_truth
from regold.formats.rows import NOISE, RESERVED, ROLES, TRUTH, Columns, Reject, Row
from regold.formats.shapes import FORMATS
from regold.formats.trainers import training_messages
from regold.formats.write import check_target, write, writing

__all__ = [
    "FORMATS",
    "NOISE",
    "RESERVED",
    "ROLES",
    "TARGETS",
    "TRUTH",
    "Card",
    "Column",
    "Columns",
    "ExportRow",
    "Exported",
    "Inspection",
    "Reject",
    "Row",
    "Source",
    "check_target",
    "conversation",
    "export",
    "inspect",
    "read",
    "read_rows",
    "rejoin",
    "restore",
    "split_id",
    "training_messages",
    "with_truth",
    "write",
    "writing",
]
