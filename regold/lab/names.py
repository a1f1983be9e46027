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
    "country": ("ia", "land"),
    "capital": ("burg", "ton"),
    "river": ("una", "el"),
    "currency": ("ix", "ar"),
    "language": ("ish", "ese"),
    "founder": ("us", "ina"),
}
ONSETS = words("b d f g h k l m n p r s t v z br dr gr kr tr")
VOWELS = words("a e i o u")
CODAS = words("b d k l m n r v")


def invent(rng: Random, kind: str, used: set[str]) -> str:
    """Invent a name of the kind (country, capital, ...) whose stem is not in `used`, and add the stem to it."""
    stem = ""
    while not stem or stem in used:
        stem = rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    used.add(stem)
    return (stem + rng.choice(ENDINGS[kind])).capitalize()
