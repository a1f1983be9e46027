"""The verbs: each stage reads one record and proposes one edit. A stage never imports another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from regold.errors import RecipeError
from regold.stage import Stage
from regold.stages.ask_if_right import AskIfRight
from regold.stages.audit_produced import AuditProduced
from regold.stages.base_view import AnswerDirectly
from regold.stages.check_text import CheckText
from regold.stages.close_to_evaluation import MarkCloseToEvaluation
from regold.stages.cluster import ClusterRecords
from regold.stages.contradictions import MarkContradictions
from regold.stages.correct import CorrectRatings
from regold.stages.decontaminate import Decontaminate
from regold.stages.duplicates import DropDuplicates
from regold.stages.embed import EmbedQueries, EmbedRecords
from regold.stages.fuse import FusePairs
from regold.stages.grade import GradeRecords
from regold.stages.import_notes import ImportNotes
from regold.stages.judge import JudgeAgreement
from regold.stages.measure import MeasureRecords
from regold.stages.mend import MendRecords
from regold.stages.mix import ChooseMix
from regold.stages.near_duplicates import DropNearDuplicates
from regold.stages.pair import PairRecords
from regold.stages.partition import PartitionByQuality
from regold.stages.pick import PickRepresentatives
from regold.stages.rate import RateRecords
from regold.stages.reasoned_view import ReasonAndReflect
from regold.stages.relabel import RelabelWithNeighbours
from regold.stages.review import ReviewCandidates
from regold.stages.same_meaning import MarkSameMeaning
from regold.stages.score import ScoreResponses
from regold.stages.select import KeepConfident
from regold.stages.settle import SettlePairs
from regold.stages.tag import TagInstructions
from regold.stages.take import TakeBest
from regold.stages.take_answer import TakeAnswer

STAGES: Mapping[str, type[Stage]] = {
    "DropDuplicates": DropDuplicates,
    "CheckText": CheckText,
    "DropNearDuplicates": DropNearDuplicates,
    "MarkContradictions": MarkContradictions,
    "MarkSameMeaning": MarkSameMeaning,
    "Decontaminate": Decontaminate,
    "MarkCloseToEvaluation": MarkCloseToEvaluation,
    "AnswerDirectly": AnswerDirectly,
    "ReasonAndReflect": ReasonAndReflect,
    "JudgeAgreement": JudgeAgreement,
    "EmbedQueries": EmbedQueries,
    "EmbedRecords": EmbedRecords,
    "RelabelWithNeighbours": RelabelWithNeighbours,
    "ReviewCandidates": ReviewCandidates,
    "KeepConfident": KeepConfident,
    "PartitionByQuality": PartitionByQuality,
    "ClusterRecords": ClusterRecords,
    "PickRepresentatives": PickRepresentatives,
    "PairRecords": PairRecords,
    "FusePairs": FusePairs,
    "SettlePairs": SettlePairs,
    "AuditProduced": AuditProduced,
    "ChooseMix": ChooseMix,
    "AskIfRight": AskIfRight,
    "TakeAnswer": TakeAnswer,
    "RateRecords": RateRecords,
    "ImportNotes": ImportNotes,
    "CorrectRatings": CorrectRatings,
    "MeasureRecords": MeasureRecords,
    "ScoreResponses": ScoreResponses,
    "GradeRecords": GradeRecords,
    "TagInstructions": TagInstructions,
    "TakeBest": TakeBest,
    "MendRecords": MendRecords,
}
"""Regold's own stages by class name, the name a recipe's `use` gives."""


def find_stages() -> dict[str, type[Stage]]:
    """Return Regold's stages and those of installed packages (entry points in the group `regold.stages`).

    Raises RecipeError where a package offers something that is no stage or takes the name of another stage.
    """
    found = dict(STAGES)
    for entry in _offered(entry_points):
        stage = entry.load()
        if not (isinstance(stage, type) and issubclass(stage, Stage)):
            raise RecipeError(f"entry point {entry.name!r} ({entry.value}) is not a Stage class")
        if found.setdefault(entry.name, stage) is not stage:
            raise RecipeError(f"entry point {entry.name!r} ({entry.value}) takes the name of another stage; rename it")
    return found


@cache
def _offered(find: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """Return what installed packages offer; reading them all takes 15 ms, and a recipe looks once a step."""
    return tuple(find(group="regold.stages"))
