"""Chat templates as models have them, and conversations in one line."""

from __future__ import annotations

from regold.record import Message, Messages

QUERY = "{% for m in messages %}<|{{ m.role }}|>"
CHATML = QUERY + "\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
TRIMMED = QUERY + "{{ m.content | trim }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
REFUSES_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
IGNORES_SYSTEM = CHATML.replace("messages %}", "messages if m.role != 'system' %}", 1)
BRACKETS = (
    "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }} <|end|>"
    "{% else %}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"
)
UNENDED = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
THINKS = (
    QUERY
    + "\n{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
THINKS_FIRST = CHATML.replace("<|assistant|>\n", "<|assistant|>\n<think>\n")


def chat(*turns: str, system: str = "") -> Messages:
    roles = ("user", "assistant") * len(turns)
    head = (Message("system", system),) if system else ()
    return (*head, *(Message(role, text) for role, text in zip(roles, turns, strict=False)))
