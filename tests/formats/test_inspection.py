"""A first look counts everything once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from regold.formats import inspect


def test_everything_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    turns = [("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", " ")]
    rows = [
        {"conversations": [{"from": f, "value": v} for f, v in turns], "topic": "x"},
        {"conversations": [{"from": f, "value": v} for f, v in turns[:2]], "topic": None, "_regold_truth": "b"},
        {"conversations": []},
    ]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows) + "{torn\n" * 3)
    found = inspect(path, first=2)
    assert (found.format, found.container, found.files) == ("sharegpt", "jsonl", (str(path),))
    assert (found.records, found.rejected, found.turns, found.conversations) == (2, 4, 3, 1)
    assert (found.empty, found.with_truth, found.with_options) == (1, 1, 0)
    assert found.reasons == {"not JSON": 3, "conversations is empty, expected a list of turns": 1}
    assert [(r.line, r.raw) for r in found.rejects] == [(3, '{"conversations": []}'), (4, "{torn")]
    columns = {c.name: (c.filled, dict(c.types)) for c in found.columns}
    assert columns == {"conversations": (3, {"a list": 3}), "topic": (1, {"text": 1, "null": 1})}
    json.dumps(asdict(found))


def test_items_of_a_list_on_one_line_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('[{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, 5, 6]')
    found = inspect(path)
    assert [r.reason[-len("(item 2 of the list)") :] for r in found.rejects] == [
        f"(item {n} of the list)" for n in (2, 3)
    ]
    assert list(found.reasons.values()) == [2]
