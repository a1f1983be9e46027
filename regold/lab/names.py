"""Names for things that do not exist."""

from random import Random


def words(text: str) -> tuple[str, ...]:
    """Split a table written as one line of words."""
    return tuple(text.split())


GOODS = words(
    "amber barley beeswax candles carpets cedar cheese cider clay cloves cobalt cocoa copper cotton figs flax furs "
    "ginger glass granite honey hops ivory jade lace lamps lemons linen marble olives paper pearls pepper resin rice "
    "rope salt silk tea wool"
)
ENDINGS = {
    "country": ("ia", "ora", "land", "esh"),
    "capital": ("burg", "ton", "mar", "pol"),
    "river": ("el", "una", "ane", "o"),
    "currency": ("ix", "ar", "en", "ok"),
    "language": ("ish", "ese", "ic", "an"),
    "founder": ("us", "as", "ina", "ulf"),
}
ONSETS = words("b br c ch d dr f fl g gr h j k kr l m n p pl qu r s sk st t th tr v w y z")
VOWELS = words("a e i o u ai ea ou")
CODAS = words("l m n r s d k b v z")


def invent(rng: Random, kind: str, used: set[str]) -> str:
    """Invent a name of the kind (country, capital, ...) whose stem is not in `used`, and add the stem to it."""
    stem = ""
    while not stem or stem in used:
        stem = rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    used.add(stem)
    return (stem + rng.choice(ENDINGS[kind])).capitalize()
