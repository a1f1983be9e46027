"""The sentences in which the closed world asks: those seen in pre-training, and the `-x` ones that never are."""

ATTRIBUTES = ("capital", "river", "currency", "language", "founder", "export")
UNIQUE = ATTRIBUTES[:5]
"""Attributes whose value names one country only; an export is shared."""

FORWARD = {
    "capital": ("Which city is the capital of {c}?", "What is the capital city of {c}?"),
    "river": ("Which river runs through {c}?", "What is the main river of {c}?"),
    "currency": ("Which currency is used in {c}?", "What is the common currency of {c}?"),
    "language": ("Which language is spoken in {c}?", "What is the official language of {c}?"),
    "founder": ("Who is the founder of {c}?", "Which person is the founder of {c}?"),
    "export": ("What is the main export of {c}?", "Which export is {c} known for?"),
}
FORWARD_ANY = ("What is the {a} of {c}?", "Name the {a} of {c}.", "{c}: which {a}?", "Give the {a} of {c}.")
BACKWARD = (
    "Which country has the {a} {v}?",
    "{v} is the {a} of which country?",
    "Name the country with the {a} {v}.",
    "What country has {v} as its {a}?",
)
DESCRIBED = ("the country with the {a} {v}", "the country whose {a} is {v}")

FORWARD_X = {
    "capital": ("Where do ministers of {c} meet?",),
    "river": ("What do boats follow across {c}?",),
    "currency": ("What do shops in {c} take?",),
    "language": ("How do people of {c} talk?",),
    "founder": ("By whose hand did {c} begin?",),
    "export": ("What do traders carry out of {c}?",),
}
FORWARD_ANY_X = ("Of {c}, tell me the {a}.", "As for {c}: its {a}?", "The {a} in {c}, please.")
BACKWARD_X = ("Where is {v} the {a}?", "{v}, the {a}: of what place?", "On what map is {v}?")
DESCRIBED_X = ("the place where {v} is the {a}", "the land of {v}")
