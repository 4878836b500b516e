"""Company names: what is left of one without typing habits, and how alike two are.

Belongs here: words, legal forms, abbreviations, likeness.  Does not belong here: any other fact about a customer.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from rapidfuzz.distance import OSA

#: Letters that no accent rule takes apart.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
#: Legal forms as they are written, longest first, and the form that each one is. An empty form says nothing.
_FORMS = {
    "public limited company": "plc",
    "plc": "plc",
    "limited liability company": "llc",
    "llc": "llc",
    "limited liability partnership": "llp",
    "llp": "llp",
    "limited partnership": "lp",
    "lp": "lp",
    "private limited": "ltd",
    "pvt ltd": "ltd",
    "pte ltd": "ltd",
    "pty ltd": "ltd",
    "proprietary limited": "ltd",
    "co ltd": "ltd",
    "company limited": "ltd",
    "ltd": "ltd",
    "limited": "ltd",
    "incorporated": "inc",
    "inc": "inc",
    "corporation": "corp",
    "corp": "corp",
    "company": "",
    "co": "",
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gmbh and co kg": "gmbh co kg",
    "gmbh co kg": "gmbh co kg",
    "gmbh": "gmbh",
    "mbh": "gmbh",
    "aktiengesellschaft": "ag",
    "ag": "ag",
    "kommanditgesellschaft": "kg",
    "kg": "kg",
    "ohg": "ohg",
    "se": "se",
    "societe anonyme": "sa",
    "sociedad anonima": "sa",
    "sa de cv": "sa de cv",
    "sa": "sa",
    "sas": "sas",
    "sarl": "sarl",
    "srl": "srl",
    "spa": "spa",
    "societa per azioni": "spa",
    "ltda": "ltda",
    "besloten vennootschap": "bv",
    "bv": "bv",
    "naamloze vennootschap": "nv",
    "nv": "nv",
    "aktiebolag": "ab",
    "ab": "ab",
    "asa": "asa",
    "as": "as",
    "aps": "aps",
    "oyj": "oyj",
    "oy": "oy",
    "kabushiki kaisha": "kk",
    "kk": "kk",
    "wll": "wll",
    "sdn bhd": "sdn bhd",
    "sp zoo": "spzoo",
    "spzoo": "spzoo",
    "sro": "sro",
    "kft": "kft",
    "doo": "doo",
    "jsc": "jsc",
    "ooo": "ooo",
}
_LONGEST_FORM = max(len(form.split()) for form in _FORMS)
#: Words that people write short, or in another number, and the one that stands for them: the long one, so that a slip
#: of typing in it still shows.
_LONG = {
    short: long
    for long, others in {
        "international": "intl",
        "technologies": "tech technology",
        "manufacturing": "mfg",
        "services": "svc svcs service",
        "systems": "sys system",
        "solutions": "soln solns solution",
        "management": "mgmt",
        "group": "grp groupe gruppe",
        "holdings": "holding hldg hldgs",
        "brothers": "bros",
        "associates": "assoc assocs",
        "industries": "ind inds industry",
        "engineering": "eng engg",
        "national": "natl",
        "laboratories": "lab labs laboratory",
        "logistics": "log",
        "enterprises": "ent enterprise",
        "communications": "comm comms",
        "development": "dev",
        "centre": "ctr center",
        "saint": "st",
        "university": "univ",
        "department": "dept",
        "distribution": "dist distr",
        "electronics": "elec",
        "pharmaceuticals": "pharma pharmaceutical",
        "financial": "fin",
        "insurance": "ins",
        "equipment": "equip",
    }.items()
    for short in others.split()
}
_IDLE = frozenset({"the", "and", "und", "et"})
_APART = re.compile(r"[\W_]+")
#: Single letters in a row are one word: ``S.à r.l.``, ``G.m.b.H.``, ``A. B. C. Supplies``.
_LETTER_BY_LETTER = re.compile(r"\b[a-z](?: [a-z]\b)+")


@dataclass(frozen=True, slots=True)
class Name:
    """A company name without typing habits: its words in order, and its legal form where it states one."""

    words: tuple[str, ...]
    form: str

    @property
    def key(self) -> str:
        """Equal for names that differ in order of words, spelling of common ones, or legal form only."""
        return " ".join(sorted(self.words))

    @property
    def joined(self) -> str:
        """Equal for names that differ in where words are parted."""
        return "".join(self.words)


@lru_cache(maxsize=200_000)
def read_name(text: str | None) -> Name:
    """Read a name; one without letters and digits has no words."""
    plain = unicodedata.normalize("NFKD", (text or "").casefold().translate(_LETTERS))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.replace("'", "").replace("’", "").replace("&", " and ").replace("+", " and ")
    plain = _LETTER_BY_LETTER.sub(lambda run: run.group().replace(" ", ""), _APART.sub(" ", plain).strip())
    words, form = _without_form(plain.split())
    said = [_LONG.get(w, w) for w in words if w not in _IDLE]
    return Name(tuple(map(intern, said or words)), form)


def _without_form(words: list[str]) -> tuple[list[str], str]:
    """Take legal forms off the end, however many; a name of nothing else keeps its first word."""
    form = ""
    while len(words) > 1:
        for length in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
            found = _FORMS.get(" ".join(words[-length:]))
            if found is not None:
                words, form = words[:-length], form or found
                break
        else:
            return words, form
    return words, form


class Weights:
    """How much a word tells, by how few names have it: whole numbers, so that sums never depend on an order."""

    def __init__(self, names: Iterable[Name]) -> None:
        """Count the names that have each word."""
        self.counts: Counter[str] = Counter()
        self.names = 0
        for name in names:
            self.counts.update(set(name.words))
            self.names += 1

    def of(self, word: str) -> int:
        """From 1, for a word of every name, up by one for each halving."""
        return max(1, (self.names // max(1, self.counts[word])).bit_length())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two names are: score of 100, words that differ by typing, words that only one side has."""

    score: int
    typos: int
    only_left: int
    only_right: int

    @property
    def is_same(self) -> bool:
        """Every word of either side is on the other, give or take typing."""
        return not self.only_left and not self.only_right

    @property
    def is_conflict(self) -> bool:
        """Each side has a word that the other lacks: such as Acme Holdings and Acme Trading."""
        return bool(self.only_left and self.only_right)


def compare(one: Name, other: Name, weights: Weights) -> Likeness:
    """Compare two names word by word; legal forms are not looked at."""
    if not one.words or not other.words:
        return Likeness(0, 0, 1, 1)
    if one.key == other.key or one.joined == other.joined:
        return Likeness(100, 0, 0, 0)
    left, right = (
        list((Counter(one.words) - Counter(other.words)).elements()),
        Counter(other.words) - Counter(one.words),
    )
    rest = list(right.elements())
    shared = sum(weights.of(w) for w in (Counter(one.words) & Counter(other.words)).elements()) * 200
    typos = 0
    for word in sorted(left, key=lambda w: (-len(w), w)):
        near = min(((_typing(word, r), r) for r in rest if _typing(word, r) is not None), default=None)
        if near is not None:
            left.remove(word)
            rest.remove(near[1])
            # A word with a typo is rare because of it: it counts as what it stands for.
            shared += min(weights.of(word), weights.of(near[1])) * 180
            typos += 1
    whole = sum(map(weights.of, one.words)) + sum(map(weights.of, other.words))
    return Likeness(shared // whole, typos, len(left), len(rest))


def _typing(one: str, other: str) -> int | None:
    """Slips of typing between two words; none when they are two words. Numbers and short words are never mistyped."""
    shortest = min(len(one), len(other))
    if shortest < 4 or any(c.isdigit() for c in one + other):
        return None
    most = 1 if shortest < 8 else 2
    slips = OSA.distance(one, other, score_cutoff=most)
    return slips if slips <= most else None
