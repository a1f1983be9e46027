"""Measures a model: exact match on a held-out file, or public benchmarks through lm-eval."""

from regold.evaluate.heldout import DIRECT, Evaluation, Outcome, Question, evaluate, question_asked

__all__ = ["DIRECT", "Evaluation", "Outcome", "Question", "evaluate", "question_asked"]
