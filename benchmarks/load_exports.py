"""Load a folder that `regold export` wrote with a trainer's own code, and print what it would train on as JSON.

`python benchmarks/load_exports.py trl|llamafactory|axolotl FOLDER`, with the Python in which that trainer is installed.
TRL also trains two steps.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

SHOWN = 20


def trl(folder: Path) -> dict[str, Any]:
    """Parse sft.yaml as `trl sft` does, load the data set it names, and train two steps."""
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_peft_config

    here = ["--bf16", "false", "--use_cpu", "true", "--max_steps", "2"]
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    script, arguments, model = parser.parse_args_and_config(["--config", str(folder / "sft.yaml"), *here])
    data = load_dataset(script.dataset_name)["train"]
    tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path)
    lora = get_peft_config(model)
    network = AutoModelForCausalLM.from_pretrained(model.model_name_or_path)
    trainer = SFTTrainer(
        network,
        args=arguments,
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=lora if model.use_peft else None,
    )
    shown = [trainer.data_collator([row]) for row in list(trainer.train_dataset)[:SHOWN]]
    texts = [_trained(tokenizer, batch["labels"][0].tolist()) for batch in shown]
    trainer.train()
    return {
        "records": len(data),
        "trained_texts": texts,
        "steps": trainer.state.global_step,
        "learning_rate": arguments.learning_rate,
    }


def llamafactory(folder: Path) -> dict[str, Any]:
    """Parse train.yaml and load the data set through LLaMA-Factory's own argument parser and data loader."""
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    import yaml
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from transformers import AutoTokenizer

    config = yaml.safe_load((folder / "train.yaml").read_text()) | {"bf16": False, "use_cpu": True}
    model, data, training, _, _ = get_train_args(config)
    module = {"tokenizer": AutoTokenizer.from_pretrained(model.model_name_or_path), "processor": None}
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    rows = get_dataset(template, model, data, training, stage="sft", **module)["train_dataset"]
    texts = [_trained(module["tokenizer"], row["labels"]) for row in rows.select(range(min(SHOWN, len(rows))))]
    return {"records": len(rows), "trained_texts": texts}


def axolotl(folder: Path) -> dict[str, Any]:
    """Validate axolotl.yaml and tokenise the data set through axolotl's own loader."""
    import yaml
    from axolotl.utils.config import normalize_config, validate_config
    from axolotl.utils.data.sft import prepare_datasets
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    config = validate_config(DictDefault(yaml.safe_load((folder / "axolotl.yaml").read_text()) | {"bf16": False}))
    normalize_config(config)
    tokenizer = AutoTokenizer.from_pretrained(config.base_model)
    rows = prepare_datasets(config, tokenizer)[0]
    texts = [_trained(tokenizer, row["labels"]) for row in rows.select(range(min(SHOWN, len(rows))))]
    return {"records": len(rows), "trained_texts": texts}


def _trained(tokenizer: Any, labels: list[int]) -> str:
    return str(tokenizer.decode([label for label in labels if label >= 0]))


if __name__ == "__main__":
    print(json.dumps({"trl": trl, "llamafactory": llamafactory, "axolotl": axolotl}[sys.argv[1]](Path(sys.argv[2]))))
