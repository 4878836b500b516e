"""What is to be made of two groups: one customer for certain, a question for a person, or nothing.

Belongs here: the rules.  Does not belong here: ties between several certain answers (``match``).

A name alone never joins. What joins is a tax registration, or a name whose every word is on both sides together with
something that a namesake would not have: a domain or mailbox of its own, a post code, or a city for a name that is
written alike. What is stated and differs (tax registration, country, legal form) forbids it, whatever the name says.
"""

from dataclasses import dataclass

from finpipe.conform.matching.groups import Group, contradict
from finpipe.conform.matching.names import Likeness, Name, Weights, compare
from finpipe.conform.matching.records import Record

#: Rules that join, in the order in which they are applied.
TAX, EXACT, SCORED = "tax id", "domain, country and name", "name and evidence"
JOINING = (TAX, EXACT, SCORED)
#: Rules that only suggest.
ALONE, NEAR, FORBIDDEN, TIE = "name alone", "evidence, name differs", "contradicted", "tie"
#: Scores of 100 from which a name counts as the same, is asked about with evidence, and with one tax registration.
SAME_FROM, NEAR_FROM, SHARED_FROM = 80, 55, 25


@dataclass(frozen=True)
class Judgement:
    """What a rule says of two groups, by the two records whose names are most alike."""

    left: Record
    right: Record
    rule: str
    score: int
    reason: str

    @property
    def joins(self) -> bool:
        """Whether the rule joins by itself."""
        return self.rule in JOINING


@dataclass(frozen=True)
class _Seen:
    """All that is compared between two groups."""

    likeness: Likeness
    evidence: tuple[str, ...]
    against: tuple[str, ...]
    is_one_land: bool
    is_initials: bool
    words: int


def judge(one: Group, other: Group, weights: Weights) -> Judgement | None:
    """Judge two groups that share no system; none when there is nothing to say."""
    likeness, left, right = _most_alike(one, other, weights)
    seen = _Seen(
        likeness=likeness,
        evidence=tuple(_evidence(one, other)),
        against=tuple(_against(one, other, left.read, right.read)),
        is_one_land=bool(one.lands & other.lands),
        is_initials=_are_initials(left.read, right.read) or _are_initials(right.read, left.read),
        words=min(len(left.read.words), len(right.read.words)),
    )
    rule = _rule(seen)
    if rule is None:
        return None
    return Judgement(left, right, rule, likeness.score, _sentence(seen, left, right))


def _most_alike(one: Group, other: Group, weights: Weights) -> tuple[Likeness, Record, Record]:
    """The two records whose names are most alike, by key where several are."""
    found = [(compare(a.read, b.read, weights), a, b) for a in one.records for b in other.records]
    return min(found, key=lambda f: (not f[0].is_same, -f[0].score, f[1].customer_id, f[2].customer_id))


def _evidence(one: Group, other: Group) -> list[str]:
    shared = (
        ("tax id", one.taxes & other.taxes),
        ("mailbox", one.mails & other.mails),
        ("domain", one.domains & other.domains),
        ("post code", one.places & other.places),
        ("city", one.towns & other.towns),
    )
    return [what for what, both in shared if both]


def _against(one: Group, other: Group, left: Name, right: Name) -> list[str]:
    differ = (
        ("tax id", contradict(one.taxes, other.taxes)),
        ("country", contradict(one.lands, other.lands)),
        ("legal form", bool(left.form and right.form and left.form != right.form)),
    )
    return [what for what, is_so in differ if is_so]


def _rule(seen: _Seen) -> str | None:
    if "tax id" in seen.evidence:
        return _of_one_tax_id(seen)
    is_same = seen.likeness.is_same and seen.likeness.score >= SAME_FROM
    is_certain = is_same and _is_independent(seen)
    if is_certain and seen.against:
        return FORBIDDEN
    if is_certain:
        is_exact = seen.likeness.score == 100 and "domain" in seen.evidence and seen.is_one_land
        return EXACT if is_exact else SCORED
    if is_same:
        return ALONE if not {"tax id", "country"} & set(seen.against) else None
    return _near(seen)


def _of_one_tax_id(seen: _Seen) -> str:
    """One registration may be that of a tax group: then its members' names share a word and differ in another."""
    if "country" in seen.against:
        return FORBIDDEN
    is_tax_group = seen.likeness.score >= SHARED_FROM and not seen.likeness.is_same
    is_vouched = seen.is_one_land or seen.likeness.is_same
    return TAX if is_vouched and not is_tax_group else NEAR


def _is_independent(seen: _Seen) -> bool:
    """Whether something beside the name says the same, that a namesake would not have."""
    if {"mailbox", "domain", "post code"} & set(seen.evidence):
        return True
    return "city" in seen.evidence and seen.is_one_land and seen.likeness.score == 100 and seen.words > 1


def _near(seen: _Seen) -> str | None:
    """Names that are not the same, with evidence: a person's question."""
    if seen.against or not {"mailbox", "domain", "post code"} & set(seen.evidence):
        return None
    is_near = seen.likeness.score >= NEAR_FROM and not seen.likeness.is_conflict
    return NEAR if is_near or (seen.is_initials and "domain" in seen.evidence) else None


def _are_initials(short: Name, long: Name) -> bool:
    return len(long.words) > 1 and short.joined == "".join(w[0] for w in long.words)


def _sentence(seen: _Seen, left: Record, right: Record) -> str:
    """Why, in words: evidence, what speaks against it, and what is different in the names."""
    parts = []
    if seen.evidence:
        parts.append("same " + ", ".join(seen.evidence))
    if seen.is_one_land:
        parts.append("same country")
    if seen.against:
        parts.append("different " + ", ".join(seen.against))
    if seen.likeness.score == 100:
        parts.append("same name" if left.name == right.name else "same name but for its writing")
    elif seen.likeness.is_same:
        parts.append(f"{seen.likeness.typos} word(s) typed differently")
    else:
        parts.append(f"{seen.likeness.only_left} and {seen.likeness.only_right} word(s) on one side only")
    return "; ".join(parts)
