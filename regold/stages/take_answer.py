"""Throws the given response away and takes the model's own answer in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from regold.methods.candidates import Candidate, final_response
from regold.record import Edit, NoteType, Record, Status
from regold.stage import Context, Stage


@dataclass(frozen=True)
class TakeAnswer(Stage):
    """Put a view's answer in the place of every response (SelfLabel, arXiv 2412.14922); drop where it gave none."""

    view: str = "base"
    """The step whose `answer` is taken."""

    name: ClassVar[str] = "take"

    @property
    def reads(self) -> Mapping[str, NoteType]:
        """The view's answer and the text in which it stands."""
        return {f"{self.view}.text": NoteType.TEXT, f"{self.view}.answer": NoteType.TEXT}

    async def __call__(self, record: Record, ctx: Context) -> Edit:
        """Replace the response; one that says the same stays as it was written."""
        own = Candidate.noted(record.notes, self.view)
        if own.answer is None:
            return Edit(Status.DROPPED, f"the {self.view} view gives no answer")
        final = final_response(record, own)
        if final == record.response:
            return Edit(Status.CLEAN, f"the {self.view} view says the same")
        return Edit(Status.REPAIRED, f"the {self.view} view's answer", record.answered(final))
