"""Turns a row of a benchmark, as its local file or the hub has it, into the question that its task file asks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from regold.methods.choices import LETTERS

_TOPIC = re.compile(r"['\"]topic['\"]\s*:\s*['\"]([^'\"]*)['\"]")
_LETTERED = re.compile(r"^\(([A-Z])\)\s*(.*?)\s*$", re.MULTILINE)
_DASHED = re.compile(r"^- (.*?)\s*$", re.MULTILINE)
_LAST_NUMBER = re.compile(r"####\s*(.+?)\s*$")
_MARKS = re.compile(r"<<[^<>]*>>")


def _choice(id: Any, question: str, options: Sequence[str], answer: str | int, category: str = "") -> dict[str, Any]:
    gold = answer if isinstance(answer, int) else LETTERS.index(answer)
    options = [str(option) for option in options]
    if not 0 <= gold < len(options):
        raise ValueError(f"answer {answer!r} is none of {len(options)} options")
    return {
        "id": str(id),
        "category": category,
        "question": question.strip(),
        "options": options,
        "letters": list(LETTERS[: len(options)]),
        "gold": gold,
        "answer": LETTERS[gold],
    }


def mmlu(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of MMLU (arXiv 2009.03300); the category is its subject."""
    subject = str(row["subject"])
    options = row["options"] if "options" in row else row["choices"]
    return {**_choice(subject, row["question"], options, row["answer"], subject), "subject": subject.replace("_", " ")}


def arc(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of ARC (arXiv 1803.05457); labels such as 1 to 4 become letters."""
    if "options" in row:
        return _choice(row["id"], row["question"], row["options"], row["answer"])
    labels = [str(label) for label in row["choices"]["label"]]
    return _choice(row["id"], row["question"], row["choices"]["text"], labels.index(str(row["answerKey"])))


def fpb(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a sentence of the Financial PhraseBank; the category is its right label."""
    if "options" in row:
        question = str(row["question"]).rpartition("sentence:\n")[2]
        doc = _choice(row["id"], question, row["options"], row["answer"])
    else:
        doc = _choice("", row["sentence"], ["negative", "neutral", "positive"], int(row["label"]))
    return {**doc, "category": doc["options"][doc["gold"]]}


def pubmedqa(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of PubMedQA (arXiv 1909.06146): yes, no or maybe, given the abstract."""
    hub = "question" in row
    question, decision = row["question" if hub else "QUESTION"], row["final_decision"]
    contexts = row["context"]["contexts"] if hub else row["CONTEXTS"]
    options = ["yes", "no", "maybe"]
    doc = _choice(row["pubid" if hub else "pmid"], question, options, options.index(decision), decision)
    return {**doc, "context": "\n".join(contexts)}


def gsm8k(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a problem of GSM8K (arXiv 2110.14168); the worked solution loses its calculator marks."""
    found = _LAST_NUMBER.search(row["answer"])
    if found is None:
        raise ValueError("the answer does not end in #### and a number")
    worked = _MARKS.sub("", row["answer"][: found.start()]).strip()
    return {"id": "", "category": "", "question": row["question"], "worked": worked, "answer": found[1]}


def bbh(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of BIG-Bench Hard (arXiv 2210.09261); the category is its task."""
    text, target, task = str(row["input"]), str(row["target"]), str(row["task"])
    listed = text.rpartition("Options:")[2] if "Options:" in text else ""
    lettered = [option for _, option in _LETTERED.findall(listed)]
    dashed = _DASHED.findall(listed)
    return {
        "id": task,
        "category": task,
        "question": text,
        "options": lettered or (dashed if target in dashed else []),
        "answer": target,
    }


def truthfulqa(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of TruthfulQA (arXiv 2109.07958): the best answer first among the true, then the false."""
    hub = "question" in row
    best = str(row["best_answer" if hub else "Best Answer"]).strip()
    true = row["correct_answers"] if hub else _listed(row["Correct Answers"])
    false = row["incorrect_answers"] if hub else _listed(row["Incorrect Answers"])
    true = list(dict.fromkeys([best, *true]))
    false = [answer for answer in dict.fromkeys(false) if answer not in true]
    if not false:
        raise ValueError("no false answer")
    return {
        "id": "",
        "category": str(row["category" if hub else "Category"]),
        "question": row["question" if hub else "Question"],
        "true": true,
        "false": false,
        "candidates": [*true, *false],
        "answer": best,
    }


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def drop(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of DROP (arXiv 1903.00161) with every annotator's answer; the category is the answer's type."""
    answers = row["answers_spans"]
    spans, kinds = [str(span) for span in answers["spans"]], list(answers.get("types") or ["span"])
    kind = str(kinds[0])
    # The hub lists alternative answers of one span each, but the several spans of one answer of type `spans` together.
    golds = [spans] if kind == "spans" else [[span] for span in dict.fromkeys(spans)]
    return {
        "id": str(row.get("query_id", "")),
        "category": kind,
        "context": row["passage"],
        "question": row["question"],
        "golds": json.dumps(golds, ensure_ascii=False),
        "answer": ", ".join(golds[0]),
    }


def tydiqa(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read a question of TyDi QA (arXiv 2003.05002), gold passage given; the category is its language.

    A row of the primary task becomes one where an annotator marked a minimal answer inside a passage; others have no
    gold passage and are left out.
    """
    if "context" in row:
        language = str(row["id"]).partition("-")[0]
        golds, context = [str(text) for text in row["answers"]["text"]], row["context"]
        return _spans(row["id"], language, context, row["question"], golds)
    document = row["document_plaintext"].encode()
    marked = [a for a in row["annotations"] if a["minimal_answer"]["plaintext_start_byte"] >= 0]
    marked = [a for a in marked if a["passage_answer"]["candidate_index"] >= 0]
    if not marked:
        return None
    passage = row["passage_answer_candidates"][marked[0]["passage_answer"]["candidate_index"]]
    context = _cut(document, passage)
    golds = [_cut(document, a["minimal_answer"]) for a in marked]
    return _spans(row["example_id"], row["language"], context, row["question_text"], golds)


def _cut(document: bytes, place: Mapping[str, int]) -> str:
    return document[place["plaintext_start_byte"] : place["plaintext_end_byte"]].decode(errors="replace").strip()


def _spans(id: Any, language: str, context: str, question: str, golds: list[str]) -> dict[str, Any]:
    golds = list(dict.fromkeys(golds))
    return {
        "id": str(id),
        "category": language,
        "context": context,
        "question": question,
        "golds": json.dumps([[gold] for gold in golds], ensure_ascii=False),
        "answer": golds[0],
    }


def ifeval(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a prompt of IFEval (arXiv 2311.07911) with its verifiable instructions."""
    given = [{k: v for k, v in kwargs.items() if v is not None} for kwargs in row["kwargs"]]
    return {
        "id": str(row["key"]),
        "category": "",
        "question": row["prompt"],
        "instructions": list(row["instruction_id_list"]),
        "settings": json.dumps(given, ensure_ascii=False),
        "answer": "",
    }


def math(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a problem of MATH-500 (arXiv 2103.03874; the category is its subject) or of AIME."""
    lower = {key.casefold(): value for key, value in row.items()}
    return {
        "id": str(lower.get("unique_id") or lower.get("id") or ""),
        "category": str(lower.get("subject") or ""),
        "question": lower["problem"],
        "answer": str(lower["answer"]),
    }


def simpleqa(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a question of SimpleQA (arXiv 2411.04368); the category is its topic."""
    about = row.get("metadata")
    topic = about.get("topic") if isinstance(about, Mapping) else None
    found = _TOPIC.search(str(about or ""))
    return {
        "id": "",
        "category": str(topic or (found[1] if found else "")),
        "question": row["problem"],
        "answer": str(row["answer"]),
    }


def humaneval(row: Mapping[str, Any]) -> dict[str, Any]:
    """Read a problem of HumanEval (arXiv 2107.03374)."""
    return {
        "id": str(row["task_id"]),
        "category": "",
        "question": row["prompt"],
        "entry": row["entry_point"],
        "setup": "",
        "tests": [f"{row['test']}\ncheck({row['entry_point']})"],
        "answer": row["canonical_solution"],
    }


def mbpp(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read a problem of MBPP (arXiv 2108.07732); of a file with all of them only the test split, 11 to 510."""
    if not 11 <= int(row["task_id"]) <= 510:
        return None
    return {
        "id": str(row["task_id"]),
        "category": "",
        "question": row["text"],
        "entry": "",
        "setup": row.get("test_setup_code") or "",
        "tests": list(row["test_list"]),
        "answer": row["code"],
    }
