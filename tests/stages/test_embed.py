from __future__ import annotations

import numpy as np
import pytest

from regold.errors import RecipeError
from regold.record import Status
from regold.stages.embed import EmbedQueries
from tests.stages.conftest import Play, make


def test_the_query_is_embedded_and_the_response_does_not_matter() -> None:
    play = Play(
        [make("a", "river of Orla", "X"), make("b", "river of Orla", "Y"), make("c", "founder of Tand", "Z")]
    ).run(EmbedQueries())
    vectors = {i: np.asarray(play[i].notes["embed.vector"]) for i in "abc"}
    assert vectors["a"].tolist() == vectors["b"].tolist()
    assert np.linalg.norm(vectors["a"]) == pytest.approx(1)
    assert vectors["a"] @ vectors["c"] < 0.9
    assert list(play.artifact) == ["weights"]


def test_records_that_are_out_are_left_out() -> None:
    out = [make(s, "Who?", "Me", status=Status(s)) for s in ("DROPPED", "FAILED", "MERGED")]
    play = Play(
        [*out, make("a", "Who are you?", "Me", status=Status.SUSPECT), make("b", "What?", "It", status=Status.CLEAN)]
    )
    assert set(play.run(EmbedQueries()).edits) == {"a", "b"}


def test_without_an_encoder_it_says_what_to_do() -> None:
    play = Play([make("a", "Who?", "Me")])
    play.encoder = None
    with pytest.raises(RecipeError, match="--encoder"):
        play.run(EmbedQueries())
