"""Small made-up benchmark files in the shapes of the real ones, for tests without any data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LETTERS = "ABCD"


def choice_rows(n: int, subjects: Sequence[str] = ("astronomy", "law")) -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{i}",
            "subject": subjects[i % len(subjects)],
            "question": f"Which is number {i}?",
            "options": [f"thing {i} {letter}" for letter in LETTERS],
            "answer": LETTERS[i % 4],
        }
        for i in range(n)
    ]


FILES: Mapping[str, list[dict[str, Any]]] = {
    "eval/mmlu_test": choice_rows(8),
    "eval/mmlu_dev": choice_rows(12),
    "label-noise/arc_test": choice_rows(6),
    "label-noise/fpb_test": [
        {
            "id": str(i),
            "question": f"Please rate the sentiment of the following sentence:\nSales changed by {i} % .",
            "options": ["negative", "neutral", "positive"],
            "answer": "ABC"[i % 3],
        }
        for i in range(6)
    ],
    "eval/pubmedqa": [
        {
            "pmid": str(i),
            "QUESTION": f"Does substance {i} help?",
            "CONTEXTS": [f"Substance {i} was given.", "It helped some."],
            "final_decision": ("yes", "no", "maybe")[i % 3],
        }
        for i in range(6)
    ],
    "eval/pubmedqa_test_ids": [{"pmid": str(i)} for i in range(0, 6, 2)],
    "gsm8k/test": [
        {"question": f"One has {i}, gets 1. How many?", "answer": f"{i} + 1 = <<{i}+1={i + 1}>>{i + 1}\n#### {i + 1}"}
        for i in range(4)
    ],
    "gsm8k/train": [
        {"question": f"Two of {i}?", "answer": f"2 * {i} = <<2*{i}={2 * i}>>{2 * i}\n#### {2 * i}"} for i in range(9)
    ],
    "eval/bbh": [
        {"task": task, "idx": i, "input": f"{task} {i}: {text}", "target": target}
        for task, text, target in (
            ("navigate", "Do you return?\nOptions:\n- Yes\n- No", "No"),
            ("hyperbaton", "Which is right?\nOptions:\n(A) old grey cat\n(B) grey old cat", "(A)"),
            ("object_counting", "How many have you?", "8"),
        )
        for i in range(5)
    ],
    "eval/truthfulqa": [
        {
            "Category": "Myths",
            "Question": f"What if you eat seed {i}?",
            "Best Answer": "Nothing happens",
            "Correct Answers": "Nothing happens; You digest it",
            "Incorrect Answers": "You grow a tree; You fly",
        }
        for i in range(3)
    ],
    "eval/drop": [
        {
            "query_id": f"d{i}",
            "passage": f"Smith threw {i + 20} yards and Jones ran.",
            "question": question,
            "answers_spans": {"spans": spans, "types": [kind] * len(spans)},
        }
        for i, (question, spans, kind) in enumerate(
            [("How far?", ["20", "20 yards"], "number"), ("Who played?", ["Smith", "Jones"], "spans")]
        )
    ],
    "eval/tydiqa_tiny": [
        {
            "id": "finnish-1-0",
            "context": "Kokemäki perustettiin 1869.",
            "question": "Milloin?",
            "answers": {"text": ["1869"], "answer_start": [22]},
        },
        {
            "example_id": 7,
            "language": "swahili",
            "document_plaintext": "Kichwa. Mji ni Dodoma.",
            "question_text": "Mji gani?",
            "passage_answer_candidates": [{"plaintext_start_byte": 8, "plaintext_end_byte": 22}],
            "annotations": [
                {
                    "minimal_answer": {"plaintext_start_byte": 15, "plaintext_end_byte": 21},
                    "passage_answer": {"candidate_index": 0},
                    "yes_no_answer": "NONE",
                }
            ],
        },
        {
            "example_id": 8,
            "language": "thai",
            "document_plaintext": "x",
            "question_text": "?",
            "passage_answer_candidates": [],
            "annotations": [],
        },
    ],
    "eval/ifeval": [
        {
            "key": 1,
            "prompt": "Write without commas, in at least 3 words.",
            "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
            "kwargs": [{}, {"relation": "at least", "num_words": 3, "num_bullets": None}],
        },
        {
            "key": 2,
            "prompt": "Write 3 sentences or more.",
            "instruction_id_list": ["length_constraints:number_sentences"],
            "kwargs": [{"relation": "at least", "num_sentences": 3}],
        },
    ],
    "eval/math500": [
        {"problem": f"What is {i} halves?", "answer": f"\\frac{{{i}}}{{2}}", "subject": "Algebra", "unique_id": f"m{i}"}
        for i in (1, 3)
    ],
    "eval/aime24": [{"id": 60, "problem": "Find n.", "answer": "204"}],
    "eval/aime25": [{"ID": "I-1", "Problem": "Find m.", "Answer": 70}],
    "eval/simpleqa": [
        {"metadata": "{'topic': 'Art', 'answer_type': 'Person'}", "problem": "Who painted it?", "answer": "Ada Lee"},
        {"metadata": {"topic": "Music"}, "problem": "Who sang it?", "answer": "Bo Ray"},
    ],
    "eval/humaneval": [
        {
            "task_id": "HumanEval/0",
            "prompt": 'import math\n\n\ndef half(x):\n    """Return half of x."""\n',
            "entry_point": "half",
            "canonical_solution": "    return x / 2\n",
            "test": "def check(candidate):\n    assert candidate(4) == 2\n",
        }
    ],
    "eval/mbpp": [
        {
            "task_id": i,
            "text": f"Write a function twice{i}.",
            "code": "",
            "test_setup_code": "",
            "test_list": [f"assert twice{i}(2) == 4"],
        }
        for i in (3, 11, 12, 600)
    ],
}


def write_files(folder: Path, *names: str) -> Path:
    """Write the files named, or all, as gzipped JSON lines."""
    for name in names or FILES:
        path = folder / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in FILES[name])
    return folder
