"""Links that would have to be opened, links that were made up, and texts that are named instead of given."""

from __future__ import annotations

from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Field, Span, Strictness
from regold.methods.checks.words import pattern, words

_URL = pattern(r"(?:https?://|www\.)[^\s<>\"'()\[\]{}|\\^`]{2,300}")
_PATH = pattern(r"[^/:]/[^/]")
_ABOUT_URLS = words(
    "url", "domain", "link", "links", "address", "hyperlink", "html", "parse", "regex", "regular expression", "valid",
    "code", "function", "program", "query string", "protocol", "tag", "cite", "citation", "reference", "python",
    "script", "website name", "email",
)  # fmt: skip
_TECHNICAL = words(
    "url", "html", "code", "link", "website", "web page", "script", "xml", "program", "regex", "api", "css",
)  # fmt: skip
_SAMPLE = pattern(
    r"example\.(?:com|org|net)|yoursite|yourwebsite|your-|localhost|\bxxx|placeholder|website\.com|abc\.com",
    r"schema\.org|w3\.org|apache\.org|xmlns|bootstrap|jquery|googleapis|maven|cdn|api\.",
)
_NAMES = pattern(
    r"\A(?:the )?(?:news |newspaper |blog |magazine )?(?:article|story|report|post|essay|paper|study|passage)"
    r"(?: (?:is |was )?(?:titled|entitled|title|called)|:| about| on| from| discuss\w*| examin\w*)"
)
_READS = words(
    "summari",
    "summary",
    "main point",
    "main idea",
    "key point",
    "key idea",
    "takeaway",
    "highlights",
    "rate",
    "article",
)
_WRITES = words("title", "headline", "write an article", "question")


def link_to_open(e: Exchange) -> Iterator[Span]:
    """Find links to pages in a question that is hardly more than that, and that is not about links themselves."""
    field: Field
    for field, text in (("input", e.given), ("instruction", e.asked)):
        if "://" not in text and "www." not in text:
            continue
        found = list(_URL.finditer(text))
        pages = [m for m in found if _PATH.search(m[0], 8)]
        if pages and len(text) - sum(len(m[0]) for m in found) < 160 and not _ABOUT_URLS.search(_URL.sub("", e.asked)):
            yield from (Span(field, m.start(), m.end()) for m in pages)


def invented_url(e: Exchange) -> Iterator[Span]:
    """Find a page's URL in the response that stands nowhere in the question: without the web it can only be made up."""
    if ("://" not in e.said and "www." not in e.said) or "<" in e.said or _TECHNICAL.search(e.asked):
        return
    for match in _URL.finditer(e.said):
        name = match[0].rstrip(".,;:!?")
        if _PATH.search(name, 8) and not _SAMPLE.search(name) and name not in e.asked and name not in e.given:
            yield Span("response", match.start(), match.start() + len(name))


def only_described(e: Exchange) -> Iterator[Span]:
    """Find an input that names the article to work on instead of giving it."""
    named = 0 < len(e.given) < 110 and e.given.count(".") <= 1 and _NAMES.search(e.given)
    if named and _READS.search(e.asked) and not _WRITES.search(e.asked):
        yield Span("input", 0, len(e.input.rstrip()))


CHECKS = (
    Check("link-to-open", "It needs a link opened, which a model cannot do.", Action.SUSPECT, link_to_open),
    Check(
        "invented-url", "The response gives a URL that stands nowhere in the question.", Action.SUSPECT, invented_url
    ),
    Check(
        "only-described", "The text to work on is named, not given.", Action.SUSPECT, only_described, Strictness.STRICT
    ),
)
