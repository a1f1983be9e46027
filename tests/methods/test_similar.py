from __future__ import annotations

from random import Random

import numpy as np
import pytest
from datasketch import MinHash

from regold.methods.similar import Contamination, contradictions, jaccard, near_duplicates, plainly, shingles, sketch

WORDS = [f"w{n}" for n in range(400)]


def text(seed: int, size: int = 60) -> str:
    return " ".join(Random(seed).choices(WORDS, k=size))


def changed(original: str, times: int, seed: int) -> str:
    words, random = original.split(), Random(seed)
    for place in random.sample(range(len(words)), times):
        words[place] = "new"
    return " ".join(words)


def test_signatures_estimate_the_jaccard_similarity_as_well_as_a_peer() -> None:
    errors, peer = [], []
    for seed in range(60):
        one, two = text(seed, 120), changed(text(seed, 120), seed % 9, seed)
        a, b = set(shingles(one).tolist()), set(shingles(two).tolist())
        truth = len(a & b) / len(a | b)
        first, second = sketch([one, two]).signatures
        errors.append(abs((first == second).mean() - truth))
        hashes = [MinHash(num_perm=64), MinHash(num_perm=64)]
        for h, items in zip(hashes, (a, b), strict=True):
            h.update_batch([int(i).to_bytes(8, "little") for i in items])
        peer.append(abs(hashes[0].jaccard(hashes[1]) - truth))
    assert np.mean(errors) < 0.06
    assert np.mean(errors) < 1.5 * np.mean(peer) + 0.005


def test_sketches_give_the_jaccard_similarity_exactly_or_of_long_texts_closely() -> None:
    one, two = text(1, 200), changed(text(1, 200), 6, 2)
    a, b = set(shingles(one).tolist()), set(shingles(two).tolist())
    assert jaccard(*sketch([one, two]).smallest) == pytest.approx(len(a & b) / len(a | b))
    one, two = text(1, 3000), changed(text(1, 3000), 200, 2)
    a, b = set(shingles(one).tolist()), set(shingles(two).tolist())
    assert jaccard(*sketch([one, two]).smallest) == pytest.approx(len(a & b) / len(a | b), abs=0.05)


def test_texts_of_one_mould_are_no_duplicates() -> None:
    mould = (
        "Name river number {0} on the way to Paris. It is river number {0}; it rises in the hills and flows to the sea."
    )
    assert near_duplicates(sketch(mould.format(n) for n in range(400))) == {}


def test_near_duplicates_point_to_the_first_and_never_chain() -> None:
    texts = [text(1), text(2), changed(text(1), 1, 0), text(3), text(2), f"{text(1)}!"]
    assert near_duplicates(sketch(texts)) == {2: 0, 4: 1, 5: 0}
    assert near_duplicates(sketch([])) == {}


def test_near_duplicates_are_found_and_others_are_not() -> None:
    originals = [text(n, 120) for n in range(300)]
    copies = [changed(t, 2, n) for n, t in enumerate(originals)]
    found = near_duplicates(sketch(originals + copies), 0.8)
    assert all(b == a - 300 for a, b in found.items())
    assert len(found) >= 295


def test_contradictions_ask_the_same_and_answer_otherwise() -> None:
    asked = [plainly(q) for q in ("Who is it?", "who is  it", "Who was it?", "Who is it", "")]
    assert contradictions(asked, ["bob", "ann", "bob", "bob", "x"]) == {0: [1], 3: [1], 1: [0, 3]}


@pytest.mark.parametrize("answers", [2, 700, 20_000])
def test_many_equal_questions_name_five_others_each(answers: int) -> None:
    compared = [0]

    class Said(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __ne__(self, other: object) -> bool:
            compared[0] += 1
            return str.__ne__(self, other)

    said = [Said(n % answers) for n in range(20_000)]
    found = contradictions(["same"] * 20_000, said)
    assert len(found) == 20_000
    assert sum(map(len, found.values())) == 100_000
    assert compared[0] <= 10 * answers
    assert found[0] == [n for n in range(20) if n % answers][:5]
    assert all(str(said[a]) != str(said[b]) for a in (0, 1, 9_999, 19_999) for b in found[a])


def test_signs_tell_questions_apart_and_closing_marks_do_not() -> None:
    assert plainly('"Is 3 > 5?"') == plainly("is 3 >  5") != plainly("Is 3 < 5?")
    assert plainly("a.b") != plainly("a b")
    assert plainly("?! .") == ""


def test_contamination_tells_the_source_and_the_place() -> None:
    known = Contamination({"eval 1": "The quick brown fox jumps over the lazy dog", "eval 2": "2 + 2?"}, 5)
    found = known.find("He said: the Quick, brown fox JUMPS high")
    assert found == ("eval 1", 9, 35)
    assert known.find("2+2") == ("eval 2", 0, 3)
    assert known.find("what is 2 + 2?") is None
    assert known.find("") is None
    longer = Contamination({"eval": "How many legs has the old grey spider?", "odd": "How many legs?"}, 13)
    assert longer.find("Say: how many legs has the old grey spider")[0] == "eval"
    assert longer.find("How many legs has the grey spider? How many legs?") is None


@pytest.mark.parametrize("piece", ["", "\ud800", "\x00", "a " * 50_000, "İ" * 1000])
def test_odd_texts(piece: str) -> None:
    assert sketch([piece, piece]).signatures.shape == (2, 64)
    Contamination({"x": piece}).find(piece)
