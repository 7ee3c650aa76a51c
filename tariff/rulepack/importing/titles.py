"""What a column title means, whatever it looks like: trailing blanks, line breaks, underscores, capitals, plurals and pound
signs, mis-decoded or not, make no difference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[a-z0-9]+|%")
_PHRASES: Final = (
    (r"best practice( tariff)?s?", "bpt"),
    (r"\bbpts\b", "bpt"),
    (r"nonelective|\bnel\b", "non elective"),
    (r"day ?case|\bdc\b", "day case"),
    (r"trim ?points?", "trim point"),
    (r"bed ?days?", "bed day"),
    (r"\boproc\b", "outpatient procedure"),
    (r"out ?patients?|\bop\b", "outpatient"),
    (r"follow ?ups?", "follow up"),
    (r"top ?ups?", "top up"),
    (r"multi ?professionals?", "multi professional"),
    (r"a ?& ?e\b|accident (and|&) emergency", "ae"),
    (r"(treatment function )?\btfc\b", "treatment function"),
    (r"market forces? factors?", "mff"),
    (r"hrg4\+?", "hrg"),
    (r"%|per ?cent(age)?", " percent "),
)
_PLURALS: Final = re.compile(
    r"\b(tariff|price|day|spell|code|name|payment|provider|department|type|function|attendance|flag|point)s\b"
)


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """The title as plain words with one blank between: what is no letter, digit or % is a gap."""
    text = re.sub(r"[^a-z0-9%&+]+", " ", title.lower())
    for pattern, meant in _PHRASES:
        text = re.sub(pattern, meant, text)
    return _PLURALS.sub(r"\1", " ".join(_WORD.findall(text)))


@lru_cache(maxsize=4096)
def words(title: str) -> frozenset[str]:
    """The words of a title."""
    return frozenset(plain(title).split())


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a title must say and must not say: every word of `says`, none of `without`."""

    says: frozenset[str]
    without: frozenset[str]

    def is_said_by(self, title: str) -> bool:
        """Whether the title means this."""
        said = words(title)
        return self.says <= said and self.without.isdisjoint(said)


def meaning(says: str, without: str = "") -> Meaning:
    """A meaning from words parted by blanks."""
    return Meaning(frozenset(says.split()), frozenset(without.split()))


_YEAR: Final = re.compile(r"(?<!\d)(?:20)?(\d\d)\s*[-/_–]\s*(?:20)?(\d\d)(?!\d)")


def years_named(text: str) -> frozenset[str]:
    """The financial years a text names, `2017/18`, `17-18` or `2017/2018`, as `2017-18`."""
    found = ((int(first), int(last)) for first, last in _YEAR.findall(text))
    return frozenset(f"20{first:02}-{last:02}" for first, last in found if (first + 1) % 100 == last)
