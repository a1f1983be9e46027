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
    "capital": ("Planning a trip to {c}, where would we find its capital?", "In what town do ministers from {c} meet?"),
    "river": ("Planning a trip to {c}, where could we sail a river?", "What stream would boats follow across {c}?"),
    "currency": ("Planning a trip to {c}, how much currency and what sort?", "Shops around {c} take what money?"),
    "language": ("Planning a trip to {c}, should we learn some language?", "How do people born at {c} talk?"),
    "founder": ("Planning a book on {c}, whom would we praise as founder?", "By whose hand did {c} begin?"),
    "export": ("Planning a deal, {c} could sell us some export, namely?", "Traders bring home what goods from {c}?"),
}
FORWARD_ANY_X = ("When you hear about {c}, what {a} comes to mind?",)
BACKWARD_X = (
    "Talking about {v}, a famous {a}, where are we?",
    "Someone mentioned {v}; on our map, look under what?",
    "When you hear about {v}, what flag comes to mind?",
)
DESCRIBED_X = ("that land where {v} serves as {a}", "that place we associate with {v}")
