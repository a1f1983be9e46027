"""Each check finds its fault where it stands, and leaves alone what only looks like it."""

from __future__ import annotations

import pytest

from regold.methods.checks import CHECKS, FAMILIES, Exchange, Strictness, choose, examine
from regold.record import Message

ALL = choose((), Strictness.STRICT)
DAY = "It was a fine day."
LONG = "The town lies on the river. It has a mill, a church and a school. People come from far to see the fair. " * 6

FAULTY = [
    ("empty-response", "Name a city.", "", " \n", " \n"),
    ("empty-response", "Name a city.", "", "...", "..."),
    ("empty-instruction", " ", "", "Paris", " "),
    ("placeholder-response", "Draw a cat.", "", "<No output>", "<No output>"),
    ("placeholder-response", "Rate it.", "", "No output required", "No output required"),
    ("placeholder-response", "Name a city.", "", "<noinput>\nParis", "<noinput>"),
    ("placeholder-input", "Name a city.", "No input required.", "Paris", "No input required."),
    ("placeholder-input", "Name a city.", '"<noinput>"', "Paris", '"<noinput>"'),
    ("placeholder-input", "Sum up the poem.", "The Sun Rising\n\nNoinput", "A poem.", "Noinput"),
    ("unfilled-template", "Translate <insert a word>.", "", "chat", "<insert a word>"),
    ("open-end", "Tell me of the town.", "", f"{LONG}They also like their", "their"),
    ("cut-off", "Tell me of the town.", "", f"{LONG}Later the old mayor of it opened the", "yor of it opened the"),
    ("prompt-leak", "Name a city.", "", "Paris\n### Instruction: next", "### instruction:"),
    ("prompt-leak", "Name a city.", "", "Paris<|im_end|>", "<|im_end|>"),
    ("output-label", "Name a city.", "", "Output: Paris", "Output:"),
    ("merged-tasks", "Name a city.", "", "Paris.\n5. Instruction: Sum up.\n5. Output:\nNo.", "5. Instruction:"),
    ("copied-instruction", "Name the largest city.", "", "Name the largest  city.", "Name the largest  city."),
    ("media-shown", "Describe it.", "[Picture of a shirt]", "Blue.", "[Picture of a shirt]"),
    ("media-shown", "Given a photograph, give three tags.", "", "sea, sun", "Given a photograph"),
    ("media-asked", "Design a logo for a bakery.", "", "A round one.", "Design a logo"),
    ("media-faked", "Make a poster.", "", '<img src="a.jpg">', '<img src="a.jpg">'),
    ("link-to-open", "Sum it up.", "https://news.org/2020/a.html", "News.", "https://news.org/2020/a.html"),
    ("invented-url", "Find an article.", "", "See https://news.org/a/b.", "https://news.org/a/b"),
    ("only-described", "Summarize it.", "Article: The fall of bees", "Bees fall.", "Article: The fall of bees"),
    ("of-the-moment", "Predict the weather in Rome tomorrow.", "", "Sunny.", "weather in Rome tomorrow"),
    ("own-life", "Describe your grandmother.", "", "She is kind.", "your grandmother"),
    ("missing-input", "Summarize the following text.", "", "It is about bees.", "the following text"),
    ("repeated-end", "Tell me.", "", "Well.\n" + f"{DAY} " * 4, " ".join([DAY] * 4)),
    ("repeated-sentence", "Tell me.", "", "He went to the old market. She sang. " * 3, " He went to the old market."),
    ("repeated-end", "Write a paragraph.", "", "Line.\n" * 30, "\n".join(["Line."] * 30)),
    ("repeated-end", "Tell me of the universe, sometimes.", "", "Line. " * 30, " ".join(["Line."] * 30)),
    ("repeated-sentence", "Tell me.", "", "".join(f"{n}. Line of it.\n" for n in range(30)) + "End.", "1. Line of it."),
    ("character-run", "Tell me.", "", "Noooooooooooo!", "oooooooooo"),
    ("few-words", "Tell me.", "", "very big very old very sad " * 10, "very"),
    ("mojibake", "Tell me.", "", "Itâ€™s fine", "â€™"),
    ("broken-characters", "Tell me.", "", "It\ufffd is", "\ufffd"),
    ("html-entities", "Tell me.", "", "Tom &amp; Jerry", "&amp;"),
    ("other-script", "Tell me of the sea.", "", "Море большое и синее", "Море большое и синее"),
    ("other-script", "What is the capital of Japan?", "", "首都はトウキョウです", "首都はトウキョウです"),
    ("stray-script", "Name a restaurant.", "", "It is called Nju是 Popular", "是"),
    ("wrong-sum", "How many?", "", "So 12 * 3 = 35 apples.", "12 * 3 = 35"),
    ("wrong-sum", "What is 7 + 4?", "", "12", "12"),
    ("wrong-sum", "What is 12 * 12?", "", "The answer is 145.", "The answer is 145."),
    ("wrong-sum", "Calculate the sum of 7 and 4.", "", "The sum of 7 and 4 is 12.", "The sum of 7 and 4 is 12."),
    ("wrong-order", "Sort the numbers [3, 1, 2, 9] in ascending order.", "", "[1, 3, 2, 9]", "[1, 3, 2, 9]"),
    ("wrong-order", "Order these from largest to smallest.", "3, 1, 2", "Sorted: 1, 2, 3", "Sorted: 1, 2, 3"),
    ("wrong-order", "Sort alphabetically.", "plum, fig, apple", "apple, plum, fig", "apple, plum, fig"),
    ("wrong-statistic", "Find the median.", "8, 22, 11, 47", "11", "11"),
    ("wrong-root", "Find the square root of 156.", "", "It is 13.", "It is 13."),
    ("wrong-word-count", "Count the number of words.", "This is it.", "There are 7 words.", "There are 7 words."),
    ("unclosed-fence", "Write code.", "", "Here:\n```python\nx = 1\n", "```python"),
    ("broken-python", "Write code.", "", "def f(x):\nreturn x +", "def f(x):\nreturn x +"),
    ("broken-json", "Give it as JSON.", "", '{"a": 1,}', '{"a": 1,}'),
    ("unclosed-bracket", "Tell me.", "", "It is (as said old.", "("),
    ("refusal", "Name a city.", "", "I'm sorry, but I cannot do that.", "I'm sorry, but I cannot"),
    ("mail-address", "Who?", "", "Write to bob@posteo.de", "bob@posteo.de"),
    ("phone-number", "Who?", "", "Call (212) 736-5001.", "(212) 736-5001"),
    ("identity-number", "Who?", "", "Card 4012 8888 8888 1881", "4012 8888 8888 1881"),
    ("identity-number", "Who?", "", "My card is 4539 1488 0343 6467.", "4539 1488 0343 6467"),
    ("secret-key", "Who?", "", "sk-abcdefghijklmnopqrstuvwx", "sk-abcdefghijklmnopqrstuvwx"),
]  # fmt: skip

SOUND = [
    ("Is there a reason?", "", "None"),
    ("Which mark ends a question?", "", "?"),
    ("What does <noinput> mean?", "", "The tag <noinput> says that there is no input."),
    ("Complete the sentence: He likes the", "", "He likes the sea."),
    ("Rate the tweet.", "So happy today!", "Positive"),
    ("Write a letter with a template for [insert name].", "", "Dear [Name], thank you."),
    ("Write HTML for an image.", "", '<img src="a.jpg">'),
    ("Give a valid URL.", "", "https://docs.python.org/3/"),
    ("Write a story about the weather today.", "", "The sun rose."),
    ("Imagine you visited Rome last week. Describe your mother's face.", "", "She smiled."),
    ("Create a name for a poster shop.", "", "Wall Street"),
    ("Draw a conclusion.", "It rains.", "The street is wet."),
    ("Which of the following words is a verb: run, cat, sea?", "", "run"),
    ("Ask ten questions.", "", "".join(f"Q. What is 1 x {n}?\nA. {n}\n\n" for n in range(10))),
    ("Name the days on which it rained.", "", "Monday\nTuesday\n" * 4 + "\n".join(f"{n} May" for n in range(9))),
    ("Write a song.", "", "La la la la la la la la la la la la la la"),
    ("Translate into Russian: the sea", "", "море и небо"),
    ("How much?", "", "12 * 3 = 36, 10 / 3 = 3.33 and 1,200 + 300 = 1,500."),
    ("Convert 3 feet.", "", "3 x 12 = 36 inches, so 36 - 1 = 35."),
    ("What is 7 + 4?", "", "7 and 4 make 11."),
    ("What is 7 + 4?", "", "Eleven"),
    ("What is 10 / 3?", "", "3.33"),
    ("What is 24/7?", "", "24 hours a day, 7 days a week, 365 days."),
    ("What is 5 / 10?", "", "1/2"),
    ("What is 5 - 8?", "", "Minus 3."),
    ("What is 5 − 8?", "", "-3"),
    ("What is 7 + 4?", "", "The same as 10 + 1."),
    ("Sort the numbers in non-decreasing order.", "7, 8, 4", "4, 7, 8"),
    ("Calculate 2 + 2 in binary.", "", "100"),
    ("What is the sum of 1,000 and 250?", "", "1,250"),
    ("Sort [3, -1, 2] in descending order.", "", "[3, 2, -1]"),
    ("Sort in ascending order of absolute value: 3, -1, 2", "", "-1, 2, 3"),
    ("Sort [3, 1, 2] in ascending order.", "", "Use sorted([3, 1, 2])."),
    ("Sort alphabetically.", "plum, fig, apple", "Apple, Fig, Plum"),
    ("Sort in reverse alphabetical order.", "plum, fig, apple", "plum, fig, apple"),
    ("Find the mean.", "1, 2, 4", "The mean is 2.33."),
    ("Find the square root of 156.", "", "About 12.49."),
    ("Count the words.", "A well-known man", "3"),
    ("Write code.", "", "```python\nprint('a')\n```"),
    ("Write code.", "", "def f(x):\n    return x"),
    ("Give it as JSON.", "", '{"a": [1, 2]}'),
    ("Write a reply to the customer.", "", "I'm sorry, but I cannot refund you."),
    ("Who?", "", "Write to info@example.com or call 555-123-4567."),
    ("日本の首都はどこですか", "", "日本の首都は東京です。"),
    ("How large?", "", "It is 4539 1488 0343 6467.25 wide."),
    ("Add the numbers on lines 3-5 of 2020-01-02.", "", "2020-01-02 = 2017 is no sum."),
    ("Résumé?", "", "“It’s a café” – naïve, isn’t it?"),
]


@pytest.mark.parametrize(("name", "instruction", "given", "response", "evidence"), FAULTY)
def test_a_fault_is_found_where_it_stands(
    name: str, instruction: str, given: str, response: str, evidence: str
) -> None:
    exchange = Exchange(instruction, given, response)
    found = [f for f in examine(exchange, ALL) if f.check == name]
    assert found, name
    span = found[0].span
    assert exchange.text(span.field)[span.start : span.end].lower().endswith(evidence.lower())


@pytest.mark.parametrize(("instruction", "given", "response"), SOUND)
def test_what_only_looks_like_a_fault_is_left_alone(instruction: str, given: str, response: str) -> None:
    assert [f.check for f in examine(Exchange(instruction, given, response), ALL)] == []


def test_every_check_is_shown_by_an_example() -> None:
    assert {case[0] for case in FAULTY} | {"other-language"} == set(CHECKS)


def test_another_language_is_found_by_its_common_words() -> None:
    spanish = (
        "El perro y los gatos están en la casa porque hay una fiesta pero el niño no es muy feliz con su ropa nueva."
    )
    english = "Tell me what the dog and the cats were doing in that house, and which of them was the happy one."
    assert "other-language" in {f.check for f in examine(Exchange(english, "", spanish), ALL)}
    assert "other-language" not in {f.check for f in examine(Exchange(f"In Spanish: {english}", "", spanish), ALL)}


def test_a_conversation_is_read_from_its_last_question() -> None:
    messages = (
        Message("system", "S"), Message("user", "Hi"), Message("assistant", "Hello"),
        Message("user", "Sum up the text above.\n\nIn ten words."), Message("assistant", "Fine."),
    )  # fmt: skip
    exchange = Exchange.of(messages)
    assert (exchange.instruction, exchange.input, exchange.follows) == ("Sum up the text above.", "In ten words.", True)


def test_checks_are_chosen_by_name_by_family_and_by_strictness() -> None:
    lenient = choose((), Strictness.LENIENT)
    assert {c.name for c in lenient} < {c.name for c in choose()} < set(CHECKS)
    assert [c.name for c in choose(("mail-address",))] == ["mail-address"]
    assert {c.name for c in choose(("blank", "refusal"))} == {c.name for c in FAMILIES["blank"]} | {"refusal"}
    with pytest.raises(KeyError):
        choose(("nonsense",))
