"""What the README tells a user to type works, against a real loopback server."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regold.cli import app
from regold.recipe import shipped_recipes
from tests.server import running

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("regold ")]


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    rows = [{"instruction": f"What is {n} + 1?", "input": "", "output": str(n + 1)} for n in range(20)]
    Path("data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with running(tmp_path, model="Qwen3-8B") as server:
        for command in commands():
            words = shlex.split(command.replace("http://localhost:8000/v1", server.url))[1:]
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, f"{command}\n{done.output}"
    assert len(commands()) >= 6
    assert Path("gold.jsonl").is_file()
    assert Path("export/dataset_info.json").is_file()


def test_every_command_is_named_in_its_help_and_every_option_of_the_readme_exists() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    for name in re.findall(r"`regold (\w+)", README):
        assert name in told
    for name in (
        "demo",
        "repair",
        "run",
        "inspect",
        "validate",
        "estimate",
        "show",
        "corrupt",
        "train",
        "evaluate",
        "export",
    ):
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name


def test_the_readme_and_the_recipes_agree() -> None:
    assert "robustft" in shipped_recipes()
    assert all(word in README for word in ("make demo", "make test", "CONTRIBUTING.md", "Apache-2.0"))


def test_links_in_the_documents_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
