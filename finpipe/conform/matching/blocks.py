"""Which pairs of groups are worth a look: those that share something rare.

Belongs here: keys of blocks and their limits.  Does not belong here: judging a pair.

Every group falls into a handful of blocks, and a block gives a limited number of pairs: so the work grows with the
number of groups, and not with its square. A block that is too large is parted by the words of names; one that is still
too large says too little to be a reason for anything.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, product

from finpipe.conform.matching.groups import Group
from finpipe.conform.matching.names import Name, Weights

#: Pairs that one block may give; fewer where all that is shared is a word.
LIMIT, FEW = 400, 64
#: Rarest words of a name that make blocks of their own.
_RAREST = 2


def candidates(groups: Sequence[Group], weights: Weights) -> list[tuple[Group, Group]]:
    """Pairs of groups that no system has a record of each in, in order of their keys."""
    found: dict[tuple[str, str], tuple[Group, Group]] = {}
    for one, other in _paired(groups, weights):
        first, second = (one, other) if one.key < other.key else (other, one)
        found[first.key, second.key] = (first, second)
    return [found[key] for key in sorted(found)]


def _paired(groups: Sequence[Group], weights: Weights) -> Iterator[tuple[Group, Group]]:
    for kind, keys in _KINDS.items():
        # One kind after the other, so that the blocks of one alone are in memory.
        blocks: dict[str, list[Group]] = defaultdict(list)
        for group in groups:
            for key in keys(group, weights):
                blocks[key].append(group)
        for members in blocks.values():
            if _pairs_in(members) <= (LIMIT if kind != "word" else FEW):
                yield from _crossed(members)
            elif kind != "word":
                for part in _parted(members):
                    if _pairs_in(part) <= LIMIT:
                        yield from _crossed(part)


def _names(group: Group) -> set[Name]:
    return {r.read for r in group.records if r.read.words}


def _rarest(group: Group, weights: Weights) -> set[str]:
    """The words of each name that tell most."""
    return {
        word for name in _names(group) for word in sorted(set(name.words), key=lambda w: (-weights.of(w), w))[:_RAREST]
    }


#: What a group can be found by.
_KINDS: dict[str, Callable[[Group, Weights], Iterable[str]]] = {
    "tax": lambda group, _: group.taxes,
    "domain": lambda group, _: group.domains,
    "mail": lambda group, _: group.mails,
    "place": lambda group, _: group.places,
    "name": lambda group, _: {name.key for name in _names(group)},
    "joined": lambda group, _: {name.joined for name in _names(group)},
    "word": _rarest,
}


def _parted(members: list[Group]) -> Iterable[list[Group]]:
    """A large block by the beginnings of words, so that typing at the end of one does not hide a pair."""
    parts: dict[str, list[Group]] = defaultdict(list)
    for group in members:
        for start in {w[:4] for r in group.records for w in r.read.words}:
            parts[start].append(group)
    return parts.values()


def _pairs_in(members: list[Group]) -> int:
    """How many pairs of different systems a block gives, at most."""
    count = Counter(group.systems for group in members)
    return sum(n * m for (a, n), (b, m) in combinations(count.items(), 2) if not a & b)


def _crossed(members: list[Group]) -> Iterator[tuple[Group, Group]]:
    kinds: dict[frozenset[str], list[Group]] = defaultdict(list)
    for group in members:
        kinds[group.systems].append(group)
    for left, right in combinations(kinds.values(), 2):
        if not left[0].systems & right[0].systems:
            yield from product(left, right)
