"""Joining what is certain and suggesting the rest, the same from the same records in whatever order they come.

Belongs here: stated links, decisions, rules in their order, ties.  Does not belong here: the rules (``judge``).

Rules are applied in order of their strength, each to all groups at once. Groups that a rule would join are joined only
if no system has two of them: otherwise the rule does not know which, and all its pairs are suggestions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from finpipe.conform.matching.blocks import candidates
from finpipe.conform.matching.groups import Group, Joined, contradict, group_of
from finpipe.conform.matching.judge import FORBIDDEN, JOINING, TIE, Judgement, judge
from finpipe.conform.matching.names import Weights
from finpipe.conform.matching.records import Decided, Pair, Record

#: Suggestions that a record may be in, best first: more are no help to anybody.
_MOST = 5
DECISION = "decision"
Two = tuple[str, str]


def match(records: Iterable[Record], decided: Iterable[Decided] = ()) -> list[Pair]:
    """What rules and people say of pairs of records, in order of their keys; stated links are not repeated."""
    known = {r.customer_id: r for r in sorted(records, key=lambda r: r.customer_id)}
    said = {_two(d.left_id, d.right_id): d for d in decided}
    parted = {two for two, d in said.items() if d.verdict == "different"}
    same = {two for two, d in said.items() if d.verdict == "same" and not _fault(d, known)}
    links = {_two(r.customer_id, n) for r in known.values() for n in r.names if n in known and n != r.customer_id}
    links = (links - parted) | same
    joined = Joined(known)
    for one, other in sorted(links):
        joined.join(one, other)
    before = [group_of(top, [known[k] for k in keys]) for top, keys in joined.sets().items()]
    weights = Weights(r.read for r in known.values())
    apart = _apart(parted)
    judged = _judged(before, weights, apart)
    accepted = _join(judged, joined, known, apart)
    pairs = [_pair(j, "joined", j.rule) for j in accepted]
    pairs += _suggestions(judged, joined)
    pairs += _decisions(said, known, joined, links)
    return sorted(pairs, key=lambda p: (p.left_id, p.right_id))


def _two(one: str, other: str) -> Two:
    return (one, other) if one < other else (other, one)


def _ids(judgement: Judgement) -> Two:
    return _two(judgement.left.customer_id, judgement.right.customer_id)


def _apart(parted: Iterable[Two]) -> dict[str, set[str]]:
    """From which others a person parted a record; each pair stands at one of its two."""
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in parted:
        found[one].add(other)
    return dict(found)


def _judged(groups: Sequence[Group], weights: Weights, parted: Mapping[str, set[str]]) -> list[Judgement]:
    found = []
    for one, other in candidates(groups, weights):
        judgement = judge(one, other, weights)
        if judgement and not _are_parted([r.customer_id for r in one.records + other.records], parted):
            found.append(judgement)
    return found


def _join(
    judged: Sequence[Judgement], joined: Joined, known: dict[str, Record], parted: Mapping[str, set[str]]
) -> list[Judgement]:
    """Join by each rule in turn; returns what joined two groups that were apart."""
    accepted: list[Judgement] = []
    for rule in JOINING:
        sets = joined.sets()
        mine = [j for j in judged if j.rule == rule and joined.top(_ids(j)[0]) != joined.top(_ids(j)[1])]
        for part in _components(mine, joined):
            tops = sorted({joined.top(r) for j in part for r in _ids(j)})
            if _may_join([group_of(t, [known[k] for k in sets[t]]) for t in tops], parted):
                accepted += part
                for j in part:
                    joined.join(*_ids(j))
    return accepted


def _components(judged: Sequence[Judgement], joined: Joined) -> list[list[Judgement]]:
    """Judgements that hang together through the groups they speak of."""
    near = Joined({joined.top(r) for j in judged for r in _ids(j)})
    for j in judged:
        near.join(joined.top(_ids(j)[0]), joined.top(_ids(j)[1]))
    found: dict[str, list[Judgement]] = defaultdict(list)
    for j in judged:
        found[near.top(joined.top(_ids(j)[0]))].append(j)
    return [found[key] for key in sorted(found)]


def _may_join(groups: list[Group], parted: Mapping[str, set[str]]) -> bool:
    """Whether groups can be one customer: one of each system, no contradiction, and nobody said otherwise."""
    systems = [s for g in groups for s in g.systems]
    if len(systems) > len(set(systems)):
        return False
    for one, other in combinations(groups, 2):
        if contradict(one.taxes, other.taxes) or contradict(one.lands, other.lands):
            return False
    return not _are_parted([r.customer_id for g in groups for r in g.records], parted)


def _are_parted(keys: Iterable[str], parted: Mapping[str, set[str]]) -> bool:
    """Whether a person said of any two of these records that they are different."""
    listed = set(keys)
    return any(parted.get(key, set()) & listed for key in listed)


def _suggestions(judged: Sequence[Judgement], joined: Joined) -> list[Pair]:
    """What is left for a person: the best few of each record."""
    count: dict[str, int] = defaultdict(int)
    found: list[Pair] = []
    for j in sorted(judged, key=lambda j: (not j.joins, j.rule == FORBIDDEN, -j.score, _ids(j))):
        one, other = _ids(j)
        if joined.top(one) == joined.top(other):
            continue
        if max(count[one], count[other]) < _MOST:
            count[one] += 1
            count[other] += 1
            found.append(_pair(j, "suggested", TIE if j.joins else j.rule))
    return found


def _pair(judgement: Judgement, verdict: str, rule: str) -> Pair:
    reason = judgement.reason
    if rule == TIE:
        reason = f"{reason}; another record fits as well, or the group has one of that system"
    return Pair(*_ids(judgement), verdict, rule, judgement.score, reason)


def _decisions(said: dict[Two, Decided], known: dict[str, Record], joined: Joined, links: set[Two]) -> list[Pair]:
    """What became of each decision."""
    found = []
    for (one, other), decision in sorted(said.items()):
        if why := _fault(decision, known):
            found.append(Pair(one, other, "refused", DECISION, 0, why, decision.decision_id))
        elif decision.verdict == "same":
            found.append(Pair(one, other, "joined", DECISION, 100, "a person said so", decision.decision_id))
        else:
            path = _path(one, other, links) if joined.top(one) == joined.top(other) else []
            why = f"still one customer, through {' – '.join(path)}" if path else "a person said so"
            found.append(Pair(one, other, "parted", DECISION, 0, why, decision.decision_id, is_contradicted=bool(path)))
    return found


def _fault(decision: Decided, known: Mapping[str, Record]) -> str:
    """Why a decision cannot hold; empty when it can."""
    if decision.left_id == decision.right_id:
        return "it does not name two customer records"
    if decision.verdict not in ("same", "different"):
        return f"its verdict is neither same nor different: {decision.verdict or 'nothing'}"
    lost = [k for k in (decision.left_id, decision.right_id) if k not in known]
    return f"there is no customer record {', '.join(lost)}" if lost else ""


def _path(one: str, other: str, links: set[Two]) -> list[str]:
    """The shortest chain of links from one record to the other, the first in order where several are.

    Rules join nobody whom a person parted: only what systems state or people say leads around a decision.
    """
    near: dict[str, list[str]] = defaultdict(list)
    for a, b in sorted(links):
        near[a].append(b)
        near[b].append(a)
    came, waiting = {one: one}, [one]
    for record in waiting:
        for step in near[record]:
            if step not in came:
                came[step] = record
                waiting.append(step)
    path = [other]
    while path[-1] != one:
        path.append(came[path[-1]])
    return path[::-1]
