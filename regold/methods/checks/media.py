"""Tasks about pictures and recordings, which a text model neither sees nor produces."""

from __future__ import annotations

from collections.abc import Iterator

from regold.methods.checks.exchange import Action, Check, Exchange, Span
from regold.methods.checks.words import pattern, words

_MEDIUM = r"(?:image|picture|photo|photograph|painting|video|audio|screenshot|drawing|clip|recording|map)"
_STANDS_FOR = pattern(
    rf"[\[<(][^\]\[<>()\n]{{0,30}}\b{_MEDIUM}s?\b[^\]\[<>()\n]{{0,60}}[\]>)]",
    rf"\battached (?:{_MEDIUM}|file|document|chart|graph)\b",
    rf"\A{_MEDIUM}s?\Z",
    r"\A(?:an? )?(?:image|picture|photo|photograph) of an? \w",
)
_REFERS = pattern(
    rf"\b(?:the|this|that|these) (?:following |given |attached |provided |above |below )?{_MEDIUM}s?\b",
    rf"\b(?:following|given|attached|provided) {_MEDIUM}s?\b",
    rf"\bgiven an? {_MEDIUM}\b",
)
_LOOKS = pattern(
    r"\A(?:[a-z]+ly )?(?:describe|analy[sz]e|identify|caption|look at|name|classify|tag|label|recogni[sz]e|tell)\b",
    r"\A(?:[a-z]+ly )?(?:who|which|how many|count|based on|given|explain|summari[sz]e|estimate|detect|transcribe)\b",
    r"\A(?:[a-z]+ly )?(?:evaluate|rate|what)\b",
)
_MAKE = (
    r"(?:design|draw|sketch|paint|create|make|produce|generate|build|construct|illustrate|render|compose|develop|write"
    r"|come up with|prepare|put together)"
)
_SOME = (
    r"(?:me |us )?(?:an? |the |some |one |two |three |four |five |\d )?"
    r"(?:(?!of\b|for\b|about\b|to\b)[\w'-]{1,20} ){0,3}"
)
_PRODUCT = (
    r"(?:logos?|icons?|posters?|flyers?|illustrations?|infographics?|cartoons?|drawings?|sketch(?:es)?|paintings?"
    r"|pictograms?|collages?|photos?|photographs?|pictures?|images?|videos?|animations?|gifs?|banners?|wallpapers?"
    r"|3d models?|3d objects?|pie charts?|bar graphs?|bar charts?|line graphs?|mood ?boards?|t-?shirts?|comic strips?"
    r"|visual representations?|graphic designs?|graphics?|visuali[sz]ations?|prototypes?|mock-?ups?|wireframes?"
    r"|brochures?|book covers?|album covers?|business cards?|memes?)"
)
_WORDY = (
    r"(?:name|title|slogan|caption|headline|description|idea|tag|tagline|text|script|plot|classif|recogni|proces|search"
    r"|editing|editor|tutorial|game)"
)
_ASKS = pattern(
    rf"\A(?:please |can you |could you )?{_MAKE} {_SOME}{_PRODUCT}\b(?!'s| {_WORDY})",
    r"\A(?:please )?(?:draw|sketch|paint|illustrate|photograph) (?:me |us )?(?:an? |the |some )(?!conclusion|inference"
    r"|comparison|parallel|analog|distinction|attention|connection|point|idea|concept|link|line between|difference"
    r"|importance|use|meaning)",
)
_IN_WORDS = words(
    "ascii", "html", "css", "svg", "code", "program", "function", "script", "python", "java", "latex", "matplotlib",
    "table", "list", "describe", "markdown", "text-based", "in words", "sql", "using r ", "prompt", "d3", "story",
)  # fmt: skip
_PRETENDS = pattern(
    r"<(?:img|picture|image|video|audio)\b[^<>\n]{0,200}>",
    r"!\[[^\]\n]{0,120}\]\([^)\n]{0,200}\)",
    r"[\[(](?:picture|image|photo|photograph|drawing|illustration|insert image|video) (?:of|showing|here)"
    r"[^\])\n]{0,100}[\])]",
)
_MARKUP = words("html", "markdown", "tag", "code", "page", "css", "website", "xml", "svg", "story", "<")
_WRITES = words("story", "poem", "caption", "write", "create", "generate", "design", "compose")


def media_shown(e: Exchange) -> Iterator[Span]:
    """Find an input that stands for a picture or recording, or an instruction about one that was never given."""
    match = _STANDS_FOR.search(e.given) if len(e.given) < 200 else None
    if match and (match[0][0] in "[<(" or not _WRITES.search(e.asked)):
        yield Span("input", match.start(), match.end())
        return
    match = None if e.follows or e.given.strip() or '"' in e.asked else _REFERS.search(e.asked)
    if match and _LOOKS.search(e.asked):
        yield Span("instruction", match.start(), match.end())


def media_asked(e: Exchange) -> Iterator[Span]:
    """Find a task whose product is a picture, a recording or a thing, which no text can be."""
    match = _ASKS.search(e.asked)
    if match and not _IN_WORDS.search(e.asked) and not _IN_WORDS.search(e.given):
        yield Span("instruction", match.start(), match.end())


def media_faked(e: Exchange) -> Iterator[Span]:
    """Find a response that pretends to show a picture by a mark-up tag or a bracket."""
    if "<" not in e.said and "[" not in e.said and "(" not in e.said:
        return
    match = _PRETENDS.search(e.said)
    if match and not _MARKUP.search(e.asked) and not _MARKUP.search(e.given):
        yield Span("response", match.start(), match.end())


CHECKS = (
    Check("media-shown", "It is about a picture or recording that is not there.", Action.SUSPECT, media_shown),
    Check("media-asked", "It asks for a picture or a thing, which no text can be.", Action.SUSPECT, media_asked),
    Check("media-faked", "The response pretends to show a picture.", Action.SUSPECT, media_faked),
)
