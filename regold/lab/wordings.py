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
    "capital": ("Ministers of {c} meet in which capital?",),
    "river": ("Boats of {c} follow which river?",),
    "currency": ("Shops of {c} take which currency?",),
    "language": ("People of {c} talk in which language?",),
    "founder": ("Songs of {c} praise which founder?",),
    "export": ("Traders of {c} carry out which export?",),
}
FORWARD_ANY_X = (
    "As for {c}: its {a}?",
    "The {a} in {c}, please.",
    "Which {a} does {c} have?",
    "The {a} belonging to {c} is called?",
    "In {c}, what is the {a}?",
    "I wonder about the {a} of {c}.",
    "And the {a} of {c}, what is it?",
)
BACKWARD_X = (
    "To what country would {a} {v} belong?",
    "With {v} as {a}, which country is it?",
    "{v} would be the {a} of which country?",
    "And which country has the {a} {v}, please?",
)
DESCRIBED_X = ("the land of {v}", *DESCRIBED)
