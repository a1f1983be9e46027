"""The audit of a generated file: counts, findings, the page, and that hostile text stays text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.engines import EngineSpec
from regold.formats import Source
from regold.methods.checks import choose
from regold.report.audit import Settings, audit
from regold.report.page import page
from regold.report.whole import LATE

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> \ud83d <noinput>"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"instruction": f"Name city {n}.", "input": "", "output": f"City {n} is Paris."} for n in range(1200)]
    rows[3]["output"] = ""
    rows[5]["input"] = "<noinput>"
    rows[7]["output"] = EVIL.replace("\ud83d", "\U0001f600")
    rows[9] = dict(rows[8])
    rows[11] = rows[10] | {"output": "It is Rome."}
    rows[13] = {"instruction": "How many legs has the old grey spider in the corner of it?", "input": "", "output": "8"}
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    return path


def run(data: Path, workers: int, findings: Path | None = None, against: tuple[Path, ...] = ()) -> object:
    settings = Settings(choose(), tuple(LATE), against, 6, workers=workers)
    return audit(Source(data, on_bad_line="skip"), settings, findings)


def test_counts_add_up_and_every_finding_is_a_line(data: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "eval.jsonl"
    held_out.write_text('{"prompt": "The old grey spider in the corner has how many legs?", "completion": "8"}\n')
    found = run(data, 1, tmp_path / "f.jsonl", (held_out,))
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert (found.records, found.rejected, found.findings) == (1200, 1, len(lines))
    assert found.flagged == sum(found.actions.values()) == len({line["id"] for line in lines})
    assert found.counts["empty-response"] == found.counts["exact-duplicate"] == found.counts["contamination"] == 1
    assert found.counts["contradiction"] == 2
    by_check = {line["check"]: line for line in lines}
    assert by_check["placeholder-input"] == {
        "id": "5", "line": 6, "check": "placeholder-input", "action": "repair", "field": "input", "span": [0, 9],
        "excerpt": "<noinput>",
    }  # fmt: skip
    assert by_check["exact-duplicate"]["other"] == ["8"]
    assert by_check["contamination"]["other"] == ["eval.jsonl 0"]
    assert by_check["contamination"]["excerpt"] == "the old grey spider in the corner"
    example = found.examples["contradiction"][0]
    assert [part.marked for part in example.record.parts] == ["", "City 10 is Paris"]
    assert [part.marked for part in example.others[0].parts] == ["", "It is Rome"]


def test_workers_change_nothing(data: Path, tmp_path: Path) -> None:
    one, two = run(data, 1, tmp_path / "1.jsonl"), run(data, 2, tmp_path / "2.jsonl")
    assert one == two
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert page(one) == page(two)


def test_the_page_holds_hostile_text_as_text_and_loads_nothing(data: Path) -> None:
    html = page(run(data, 1))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", html.replace("&", ""))
    assert "default-src &#39;none&#39;" in html
    assert html.count("<script>") == 1
    assert "<mark>&lt;noinput&gt;</mark>" in html
    assert html.encode()


def test_the_command_writes_its_files_and_names_what_it_does_not_know(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["audit", str(data), "--out", str(out), "--json", "--workers", "1"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["records"] == 1200
    assert json.loads((out / "summary.json").read_text())["checks"] == told["checks"]
    assert {p.name for p in out.iterdir()} == {"audit.html", "findings.jsonl", "summary.json"}
    wrong = CliRunner().invoke(app, ["audit", str(data), "--checks", "blankk"])
    assert wrong.exit_code == 2
    assert "did you mean blank" in wrong.output
    chosen = CliRunner().invoke(
        app, ["audit", str(data), "--checks", "blank,contradiction", "--workers", "1", "--json"]
    )
    assert set(json.loads(chosen.stdout)["checks"]) == {
        "empty-response", "placeholder-input", "placeholder-response", "contradiction",
    }  # fmt: skip


def test_a_clean_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "fine.jsonl"
    path.write_text('{"instruction": "Name a city.", "output": "Paris"}\n')
    assert "No fault was found" in page(run(path, 1))


def test_an_encoder_finds_what_is_said_in_nearly_the_same_words(data: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "eval.jsonl"
    held_out.write_text('{"prompt": "How many legs has the grey old spider in a corner of it?", "completion": "8"}\n')
    late = ("same-meaning", "contamination-meaning")
    settings = Settings((), late, (held_out,), encoder=EngineSpec("lexical"), alike=0.7, workers=1)
    found = audit(Source(data, on_bad_line="skip"), settings, tmp_path / "f.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    close = [line for line in lines if line["check"] == "contamination-meaning"]
    assert [(line["id"], line["other"]) for line in close] == [("13", ["eval.jsonl 0"])]
    assert found.counts["same-meaning"] > 100  # many cities differ by a number only


def test_limits_are_checks_with_names_of_their_own(data: Path) -> None:
    done = CliRunner().invoke(
        app, ["audit", str(data), "--checks", "none", "--limit", "response.words=1..", "--json", "--workers", "1"]
    )
    assert json.loads(done.stdout)["checks"] == {"response.words": 1}
    wrong = CliRunner().invoke(app, ["audit", str(data), "--limit", "response.size=1.."])
    assert wrong.exit_code == 2
    assert "no measure" in wrong.output
    unmeant = CliRunner().invoke(app, ["audit", str(data), "--checks", "same-meaning"])
    assert unmeant.exit_code == 2
    assert "--encoder" in unmeant.output


def test_turns_of_one_conversation_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    turns = [{"role": r, "content": f"{r} says number {n} in a row"} for n in range(12) for r in ("user", "assistant")]
    path = tmp_path / "talk.jsonl"
    path.write_text(json.dumps({"messages": turns}) + "\n" + json.dumps({"messages": turns[:-2]}) + "\n")
    settings = Settings((), ("exact-duplicate", "near-duplicate"), workers=1)
    found = audit(Source(path, turns="all"), settings)
    assert set(found.counts) <= {"near-duplicate"}
    assert found.counts.get("near-duplicate", 0) <= 1


def test_hostile_records_end_as_findings_or_rejects_and_never_as_an_error(tmp_path: Path) -> None:
    odd = [
        "\x00\x1b[31m\u0007 red", "a" * 2_000_000, "\u202eגבא\u202c مرحبا", "</style></script><script>x()</script>",
        "{{ 7 * 7 }} {% raw %}", "\ufeff\u2028\u2029", "<!--", "\ud800", "ＡＢ" * 5000,
    ]  # fmt: skip
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps({"id": t[:50], "instruction": t, "output": t}) + "\n" for t in odd))
    settings = Settings(choose(), tuple(LATE), encoder=EngineSpec("lexical"), limits=("words=..2",), workers=1)
    found = audit(Source(path, on_bad_line="skip"), settings, tmp_path / "f.jsonl")
    assert found.records + found.rejected == len(odd)
    html = page(found)
    assert html.count("<script>") == 1
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202e]", html)
    assert len(html) < 400_000
    assert all(json.loads(line) for line in (tmp_path / "f.jsonl").read_bytes().splitlines())
