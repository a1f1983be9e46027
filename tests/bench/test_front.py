"""The front half measured over a small pool: what is told adds up, and what was measured once is kept."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from typer.testing import CliRunner

from regold.cli import app

TOPICS = (
    "bread oven flour salt butter dough yeast bake",
    "violin bow sonata tune chord melody concert strings",
)


def _pool(folder: Path) -> None:
    rng, rows = Random(2), []
    for n in range(60):
        words = TOPICS[n % 2].split()
        asked, said = " ".join(rng.sample(words, 4)), " ".join(rng.sample(words, 6))
        rows.append({"id": n, "instruction": f"Tell me of {asked} {n}?", "output": f"It is the {said} of {n}."})
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "r.csv").write_text("id,a\n" + "".join(f"{n},{5 if n % 10 == 0 else 1}\n" for n in range(60)))


def test_the_figures_of_the_front_half(tmp_path: Path) -> None:
    _pool(tmp_path)
    words = ["bench", "front", "--data", tmp_path / "data.jsonl", "--ratings", tmp_path / "r.csv"]
    words += ["--column", "a=rate.value", "--set", "partition.correct=", "--set", "near.threshold=1.0"]
    words += ["--set", "cluster.tau=0", "--set", "check.checks=['empty-response']", "--pairs", "3", "--texts"]
    words += ["--into", tmp_path / "run", "--json", tmp_path / "f.json", "--out", tmp_path / "f.md"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "f.json").read_text())
    assert sum(found["parts"].values()) == sum(found["fates"].values()) == found["records"] == 60
    assert [s["step"] for s in found["steps"]][:2] == ["load", "duplicates"]
    assert all(s["peak_mb"] > 10 and s["seconds"] >= 0 for s in found["steps"])
    assert len(found["some_pairs"]) == 3
    assert found["pairs"] * 2 == round(found["paired_share"] * found["parts"]["low"])
    assert all(len(text.split()) <= 6 for pair in found["some_pairs"] for text in pair["begin"])
    assert "## Time and memory" in (tmp_path / "f.md").read_text()

    words.remove("--texts")
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    assert [set(p) for p in json.loads((tmp_path / "f.json").read_text())["some_pairs"]] == [
        {"lead", "partner", "cosine", "cluster"}
    ] * 3
    assert "Tell me" not in (tmp_path / "f.md").read_text()
    assert json.loads((tmp_path / "f.json").read_text())["steps"] == found["steps"]
