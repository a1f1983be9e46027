"""Strings that look like personal data or secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regold.methods.checks.exchange import FIELDS, Action, Check, Exchange, Span, Strictness

_MAIL = re.compile(
    r"(?<![\w.+-])[a-z0-9][\w.+-]{0,63}@[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,62}){1,4}", re.IGNORECASE
)
_MADE_UP = re.compile(
    r"@(?:[a-z0-9-]*(?:example|company|email|domain|test|abc|xyz|mail|business|website|your|sample|acme|store|shop)[a-z0-9-]*)\."
    r"|\A(?:your|name|user|first|example|john|jane|info|contact|support|admin|help|someone|test|noreply)",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")
_DIGITS = re.compile(r"\d\d[ ().-]{0,2}\d")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_CARD = re.compile(r"(?<![\w.-])\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w-]|\.\w)")
_KEY = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,80}|ghp_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}|xox[abp]-[0-9A-Za-z-]{20,80})\b"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"
)


def mail_address(e: Exchange) -> Iterator[Span]:
    """Find e-mail addresses that do not look made up."""
    for field in FIELDS:
        text = e.text(field)
        if "@" in text:
            for match in _MAIL.finditer(text):
                if not _MADE_UP.search(match[0]):
                    yield Span(field, match.start(), match.end())


def phone_number(e: Exchange) -> Iterator[Span]:
    """Find telephone numbers; those with 555 are reserved for stories."""
    for field in FIELDS:
        if not _DIGITS.search(e.text(field)):
            continue
        for match in _PHONE.finditer(e.text(field)):
            digits = re.sub(r"\D", "", match[0])
            if "555" not in digits and "1234" not in digits and len(set(digits)) > 4:
                yield Span(field, match.start(), match.end())


def identity_number(e: Exchange) -> Iterator[Span]:
    """Find social security numbers and card numbers with a right check digit."""
    for field in FIELDS:
        text = e.text(field)
        if not _DIGITS.search(text):
            continue
        for match in _SSN.finditer(text):
            if match[0] not in ("123-45-6789", "111-11-1111"):
                yield Span(field, match.start(), match.end())
        for match in _CARD.finditer(text):
            digits = re.sub(r"\D", "", match[0])
            if 13 <= len(digits) <= 19 and luhn(digits) and len(set(digits)) > 3:
                yield Span(field, match.start(), match.end())


def secret_key(e: Exchange) -> Iterator[Span]:
    """Find keys of well-known services and private keys."""
    for field in FIELDS:
        if not any(mark in e.text(field) for mark in ("sk-", "ghp_", "AKIA", "xox", "PRIVATE KEY")):
            continue
        for match in _KEY.finditer(e.text(field)):
            yield Span(field, match.start(), match.end())


def luhn(digits: str) -> bool:
    """Tell whether the last digit checks the others, as on payment cards (ISO/IEC 7812-1)."""
    total = sum(int(d) for d in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0


CHECKS = (
    Check("mail-address", "It holds an e-mail address.", Action.SUSPECT, mail_address, Strictness.STRICT),
    Check("phone-number", "It holds a telephone number.", Action.SUSPECT, phone_number, Strictness.STRICT),
    Check("identity-number", "It holds what looks like an identity or card number.", Action.SUSPECT, identity_number),
    Check("secret-key", "It holds what looks like a secret key.", Action.SUSPECT, secret_key, Strictness.LENIENT),
)
