"""Which model in this process a name means: what was trained is what is measured, and a typo never asks the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regold.cli.local import lab_folder, model_and_adapter, model_place
from regold.cli.options import Asked
from regold.engines.weights import folder_digest
from regold.errors import UsageError
from tests.cli.told import assert_told, regold
from tests.evaluate.fixtures import write_files
from tests.tiny import TEMPLATE, build_tiny


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)


def adapter(folder: str, base: str, digest: str | None = None) -> str:
    Path(folder).mkdir()
    Path(folder, "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    if digest:
        Path(folder, "train.json").write_text(json.dumps({"base": digest}))
    return folder


def test_what_train_wrote_is_what_evaluate_reads() -> None:
    base = build_tiny(Path("tiny"))
    Path("data.jsonl").write_text("".join(json.dumps({"instruction": f"q{n}", "output": "b"}) + "\n" for n in range(6)))
    words = ("--epochs", 60, "--learning-rate", 1e-2, "--rank", 16)
    done = regold("train", "data.jsonl", "--out", "tuned", "--model", base, *words)
    assert_told(done, 0, "regold evaluate FILE --model tuned")
    assert json.loads(regold("evaluate", "data.jsonl", "--model", base, "--json").stdout)["accuracy"] == 0
    assert json.loads(regold("evaluate", "data.jsonl", "--model", "tuned", "--json").stdout)["accuracy"] == 1
    assert_told(regold("evaluate", "data.jsonl", "--model", "tuned", "--adapter", "tuned"), 2, "an adapter itself")


def test_an_adapter_is_measured_with_the_template_it_was_trained_with() -> None:
    base = build_tiny(Path("tiny"))
    own = TEMPLATE.replace("|>{{", "|>So: {{").replace("<|assistant|>", "<|assistant|>So: ")
    Path("own.jinja").write_text(own)
    Path("data.jsonl").write_text("".join(json.dumps({"instruction": f"q{n}", "output": "b"}) + "\n" for n in range(6)))
    words = ("--epochs", 60, "--learning-rate", 1e-2, "--rank", 16, "--chat-template", "own.jinja")
    assert_told(regold("train", "data.jsonl", "--out", "tuned", "--model", base, *words), 0)
    assert_told(regold("evaluate", "data.jsonl", "--model", "tuned"), 0, "chat template in the adapter's folder")
    found = json.loads(regold("evaluate", "data.jsonl", "--model", base, "--adapter", "tuned", "--json").stdout)
    assert (found["accuracy"], found["own_chat_template"]) == (1, True)
    assert found["engine"].endswith("with its own chat template float32")
    data = write_files(Path("data"), "label-noise/arc_test")
    suite = regold("evaluate", "tuned", "--tasks", "arc", "--data", data, "--limit", 2, "--form", "generation")
    assert_told(suite, 0, "chat template in the adapter's folder")
    Path("tuned/chat_template.jinja").unlink()
    found = json.loads(regold("evaluate", "data.jsonl", "--model", "tuned", "--json").stdout)
    assert not found["own_chat_template"]


def test_an_adapter_on_the_shipped_model_is_known_wherever_it_was_trained() -> None:
    adapter("lora", "/elsewhere/regold/lab/model", folder_digest(lab_folder()))
    asked = Asked("lora")
    assert (asked.student().model, asked.student().adapter) == (str(lab_folder()), "lora")
    assert asked.shipped == "lab"
    assert asked.models().encoder is not None
    assert asked.models().encoder.model == str(lab_folder())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("base", "digest", "said"),
    [
        ("/elsewhere/gone", None, "which is not here: give the base as --model"),
        ("", None, "a model it does not name"),
        ("base", "0" * 16, "has changed since"),
    ],
)
def test_an_adapter_without_its_base_is_refused(base: str, digest: str | None, said: str) -> None:
    Path("base").mkdir()
    with pytest.raises(UsageError, match=said):
        model_and_adapter(adapter("lora", base, digest))


@pytest.mark.parametrize("name", ["mlb", "./mlb", "nosuch/deeper/model", "/nosuch/model", "~/model", "model/"])
def test_a_typo_is_refused_before_the_hub_is_asked(name: str) -> None:
    adapter("mlab", "owner/base")
    Path("data.jsonl").write_text(json.dumps({"instruction": "a", "output": "b"}) + "\n")
    hint = "did you mean mlab?" if "mlb" in name else "OWNER/NAME"
    assert_told(regold("evaluate", "data.jsonl", "--model", name), 2, "error: no model", hint)
    assert_told(regold("train", "data.jsonl", "--model", name, "--out", "out"), 2, "error: no model", hint)


def test_a_name_on_the_hub_passes() -> None:
    assert model_place("owner/name") == "owner/name"
    assert model_and_adapter(adapter("lora", "owner/base")) == ("owner/base", "lora")
