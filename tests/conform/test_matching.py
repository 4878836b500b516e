"""Matching customers: names, rules, ties, what people say; and how sure it is, on companies whose truth is known."""

from random import Random

import pytest

from finpipe.conform.matching import Decided, Pair, Record, match
from finpipe.conform.matching.blocks import candidates
from finpipe.conform.matching.groups import Joined, group_of
from finpipe.conform.matching.judge import Judgement
from finpipe.conform.matching.match import _suggestions
from finpipe.conform.matching.names import Weights, compare, read_name
from tools.match.measure import measure

from .lookalikes import two_systems


def crm(key: str, name: str, **facts: str) -> Record:
    return Record(f"crm:{key}", "crm", name, **facts)


def erp(key: str, name: str, **facts: str) -> Record:
    return Record(f"erp:{key}", "erp", name, **facts)


def judged(*records: Record, decided: tuple[Decided, ...] = ()) -> list[tuple[str, str, str, str]]:
    """What is said of which pair, and by which rule."""
    return [(p.left_id, p.right_id, p.verdict, p.rule) for p in match(records, decided)]


def verdict(*records: Record) -> str:
    """What is said of the only pair there is."""
    pairs = judged(*records)
    assert len(pairs) <= 1
    return f"{pairs[0][2]}: {pairs[0][3]}" if pairs else "nothing"


@pytest.mark.parametrize(
    ("text", "words", "form"),
    [
        ("Acme, Inc.", "acme", "inc"),
        ("ACME INCORPORATED", "acme", "inc"),
        ("Müller & Söhne GmbH & Co. KG", "muller sohne", "gmbh co kg"),
        ("Crème S.à r.l.", "creme", "sarl"),
        ("A. B. C. Supplies Pty Ltd", "abc supplies", "ltd"),
        ("The Widget Mfg. Company, Limited", "widget manufacturing", "ltd"),
        ("Kowalski Sp. z o.o.", "kowalski", "spzoo"),
        ("Oy", "oy", ""),
        ("株式会社 ACME", "株式会社 acme", ""),
        ("- - -", "", ""),
    ],
)
def test_a_name_is_read_without_typing_habits(text: str, words: str, form: str) -> None:
    name = read_name(text)
    assert (" ".join(name.words), name.form) == (words, form)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Amber Freight Inc", "Freight Amber", True),
        ("Data Soft Ltd", "Datasoft Ltd", True),
        ("Northgate Logistics", "Northgaet Logistics", True),
        ("Kestrel 12 Ltd", "Kestrel 13 Ltd", False),
        ("Acme Holdings", "Acme Trading", False),
        ("Acme", "Acme Holdings", False),
        ("Ames Co", "Acme Co", False),
    ],
)
def test_two_names_are_the_same_when_every_word_is_on_both_sides(one: str, other: str, *, is_same: bool) -> None:
    names = [read_name(one), read_name(other)]
    assert compare(names[0], names[1], Weights(names)).is_same is is_same
    assert compare(names[0], names[1], Weights(names)) == compare(*names, Weights(names))


ONE_TAX = {"tax_id": "DE 811 234 567", "country": "DE"}
SITE = {"website": "https://www.acme.example/en"}


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        # A tax registration joins whatever the names say, unless it looks like that of a tax group.
        (
            crm("1", "Old Name AG", **ONE_TAX),
            erp("1", "New Words GmbH", tax_id="811234567", country="DE"),
            "joined: tax id",
        ),
        (
            crm("1", "Acme Holdings", **ONE_TAX),
            erp("1", "Acme Trading", **ONE_TAX),
            "suggested: evidence, name differs",
        ),
        (
            crm("1", "Acme", tax_id="811234567"),
            erp("1", "Birch", tax_id="811234567"),
            "suggested: evidence, name differs",
        ),
        (crm("1", "Acme", tax_id="123456789"), erp("1", "Birch", tax_id="123456789"), "nothing"),
        # A name with evidence joins.
        (
            crm("1", "Acme Foods Inc", country="US", **SITE),
            erp("1", "ACME FOODS", country="US", email="ap@acme.example"),
            "joined: domain, country and name",
        ),
        (
            crm("1", "Acme Foods", **SITE),
            erp("1", "Acme Fods", email="ap@mail.acme.example"),
            "joined: name and evidence",
        ),
        (
            crm("1", "Acme Foods", postal_code="AB1 2CD"),
            erp("1", "Acme Foods", postal_code="ab12cd"),
            "joined: name and evidence",
        ),
        (
            crm("1", "Acme Foods", city="Alton", country="GB"),
            erp("1", "Acme Foods Ltd", city="ALTON", country="GB"),
            "joined: name and evidence",
        ),
        # A name alone never does, nor where everybody has mail.
        (crm("1", "Acme Foods"), erp("1", "Acme Foods"), "suggested: name alone"),
        (crm("1", "Acme Foods", country="US"), erp("1", "Acme Foods", country="US"), "suggested: name alone"),
        (
            crm("1", "Acme Foods", email="acme@gmail.com"),
            erp("1", "Acme Foods", email="foods@gmail.com"),
            "suggested: name alone",
        ),
        # What contradicts forbids.
        (
            crm("1", "Acme Foods", tax_id="US555000111", **SITE),
            erp("1", "Acme Foods", tax_id="US555000222", **SITE),
            "suggested: contradicted",
        ),
        (
            crm("1", "Acme Foods", country="US", **SITE),
            erp("1", "Acme Foods", country="GB", **SITE),
            "suggested: contradicted",
        ),
        (crm("1", "Acme Foods GmbH", **SITE), erp("1", "Acme Foods AG", **SITE), "suggested: contradicted"),
        # Sisters on one web site are not even a question; a word more is one.
        (crm("1", "Acme Holdings", **SITE), erp("1", "Acme Trading", **SITE), "nothing"),
        (crm("1", "Acme Foods", **SITE), erp("1", "Acme Foods Export", **SITE), "suggested: evidence, name differs"),
        (
            crm("1", "International Business Machines", **SITE),
            erp("1", "IBM", **SITE),
            "suggested: evidence, name differs",
        ),
    ],
)
def test_what_two_records_alone_are(left: Record, right: Record, said: str) -> None:
    assert verdict(left, right) == said


def test_records_that_systems_link_are_not_matched_and_neither_are_two_of_one_system() -> None:
    linked = crm("1", "Acme Foods", **SITE), Record("erp:1", "erp", "Acme Foods", names=("crm:1",))
    assert judged(*linked) == []
    assert judged(crm("1", "Acme Foods", **SITE), crm("2", "Acme Foods", **SITE)) == []
    # The ERP's customer is known already: another of its kind is a question at most.
    assert judged(*linked, erp("2", "Acme Foods", **SITE)) == []


def test_what_a_linked_record_states_helps_to_match_the_third() -> None:
    linked = crm("1", "Acme Foods"), Record("billing:1", "billing", "Acme", names=("crm:1",), **SITE)
    assert judged(*linked, erp("1", "Acme Foods", **SITE)) == [("crm:1", "erp:1", "joined", "name and evidence")]


def test_a_tie_joins_nobody() -> None:
    found = judged(crm("1", "Acme Foods", **SITE), erp("1", "Acme Foods", **SITE), erp("2", "ACME FOODS", **SITE))
    assert found == [("crm:1", "erp:1", "suggested", "tie"), ("crm:1", "erp:2", "suggested", "tie")]


def test_a_name_of_a_record_that_is_not_there_or_of_itself_links_nothing() -> None:
    assert judged(Record("crm:1", "crm", "Acme", names=("crm:404", "crm:1")), erp("1", "Birch")) == []


def test_pairs_that_have_nothing_to_do_with_each_other_are_all_joined() -> None:
    birch = {"website": "birch.example"}
    found = judged(
        crm("1", "Acme Foods", **SITE), erp("1", "Acme Foods", **SITE),
        crm("2", "Birch Paper", **birch), erp("2", "Birch Paper", **birch),
    )  # fmt: skip
    assert [(left, right, what) for left, right, what, _ in found] == [
        ("crm:1", "erp:1", "joined"),
        ("crm:2", "erp:2", "joined"),
    ]


def test_two_that_fit_one_are_a_tie_as_well() -> None:
    found = judged(crm("1", "Acme Foods", **SITE), crm("2", "Acme Foods", **SITE), erp("1", "Acme Foods", **SITE))
    assert found == [("crm:1", "erp:1", "suggested", "tie"), ("crm:2", "erp:1", "suggested", "tie")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_record_is_in_five_suggestions_at_most_the_best_first(*, turned: bool) -> None:
    """Ties come first, then by score, and what is contradicted comes last."""
    rules = [("contradicted", 100), ("name alone", 90), ("evidence, name differs", 80), ("tax id", 70),
             ("name alone", 90), ("name alone", 60), ("contradicted", 99)]  # fmt: skip
    several = [(erp if not turned else crm)(str(n), "Acme") for n in range(1, 8)]
    alone = crm("9", "Acme") if not turned else erp("9", "Acme")
    said = [Judgement(alone, r, rule, score, "") for r, (rule, score) in zip(several, rules, strict=True)]
    pairs = _suggestions(said, Joined([alone.customer_id, *(r.customer_id for r in several)]))
    ids = [p.left_id if turned else p.right_id for p in pairs]
    assert [key.partition(":")[2] for key in ids] == ["4", "2", "5", "3", "6"]
    assert [(p.verdict, p.rule) for p in pairs][:2] == [("suggested", "tie"), ("suggested", "name alone")]


def test_a_tie_says_that_another_fits_as_well() -> None:
    (first, _) = match([crm("1", "Acme Foods", **SITE), erp("1", "Acme Foods", **SITE), erp("2", "Acme Foods", **SITE)])
    assert first.reason == ("same domain; same name; another record fits as well, or the group has one of that system")


@pytest.mark.parametrize(
    ("left", "right"),
    [({"tax_id": "555000111"}, {"tax_id": "555000222"}), ({"country": "US"}, {"country": "GB"})],
)
def test_a_third_record_joins_no_two_that_contradict_each_other(left: dict[str, str], right: dict[str, str]) -> None:
    third = Record("billing:1", "billing", "Acme Foods", **SITE)
    assert judged(crm("1", "Acme Foods", **left, **SITE), erp("1", "Acme Foods", **right, **SITE), third) == [
        ("billing:1", "crm:1", "suggested", "tie"),
        ("billing:1", "erp:1", "suggested", "tie"),
        ("crm:1", "erp:1", "suggested", "contradicted"),
    ]


def test_the_stronger_rule_decides_before_there_is_a_tie() -> None:
    found = judged(
        crm("1", "Acme Foods", tax_id="US555000111", **SITE),
        erp("1", "Acme Foods", tax_id="555000111", country="US", **SITE),
        erp("2", "Acme Foods", **SITE),
    )
    assert found == [("crm:1", "erp:1", "joined", "tax id"), ("crm:1", "erp:2", "suggested", "tie")]


def said(pair: str, what: str, number: int = 1) -> Decided:
    left, right = pair.split()
    return Decided(f"decisions:{number}", left, right, what)


def test_people_part_what_rules_join_and_join_what_rules_forbid() -> None:
    alike = crm("1", "Acme Foods", **SITE), erp("1", "Acme Foods", **SITE)
    assert judged(*alike, decided=(said("erp:1 crm:1", "different"),)) == [("crm:1", "erp:1", "parted", "decision")]
    unlike = crm("1", "Acme", tax_id="US555000111"), erp("1", "Birch", tax_id="US555000222")
    assert judged(*unlike, decided=(said("crm:1 erp:1", "same"),)) == [("crm:1", "erp:1", "joined", "decision")]


def test_what_became_of_a_decision_is_told_with_it() -> None:
    alike = crm("1", "Acme Foods"), erp("1", "Acme Foods")
    (joined,) = match(alike, (said("erp:1 crm:1", "same", 7),))
    assert joined == Pair("crm:1", "erp:1", "joined", "decision", 100, "a person said so", "decisions:7")
    (parted,) = match(alike, (said("crm:1 erp:1", "different", 8),))
    assert parted == Pair("crm:1", "erp:1", "parted", "decision", 0, "a person said so", "decisions:8")
    *_, refused = match(alike, (said("crm:2 erp:1", "same", 9),))
    why = "there is no customer record crm:2"
    assert refused == Pair("crm:2", "erp:1", "refused", "decision", 0, why, "decisions:9")


def test_the_later_of_two_decisions_stands() -> None:
    alike = crm("1", "Acme Foods"), erp("1", "Acme Foods")
    both = said("crm:1 erp:1", "same"), said("erp:1 crm:1", "different", 2)
    assert judged(*alike, decided=both) == [("crm:1", "erp:1", "parted", "decision")]
    assert judged(*alike, decided=both[::-1]) == [("crm:1", "erp:1", "joined", "decision")]


def test_a_parted_pair_is_not_joined_through_a_third_record_by_a_rule() -> None:
    records = (
        crm("1", "Acme Foods", **SITE),
        erp("1", "Acme Foods", **SITE),
        Record("billing:1", "billing", "Acme Foods", **SITE),
    )
    found = judged(*records, decided=(said("crm:1 erp:1", "different"),))
    assert [f for f in found if f[2] == "joined"] == []
    assert ("crm:1", "erp:1", "parted", "decision") in found


def test_a_decision_that_other_links_contradict_says_through_which() -> None:
    records = (
        crm("1", "Acme"),
        Record("billing:1", "billing", "Acme", names=("crm:1",)),
        Record("erp:1", "erp", "Acme", names=("billing:1", "crm:1")),
    )
    (pair,) = match(records, (said("crm:1 erp:1", "different"),))
    assert (pair.verdict, pair.is_contradicted) == ("parted", True)
    assert pair.reason == "still one customer, through crm:1 – billing:1 – erp:1"


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (said("crm:1 erp:404", "same"), "there is no customer record erp:404"),
        (said("crm:1 crm:1", "same"), "it does not name two customer records"),
        (said("crm:404 erp:404", "same"), "there is no customer record crm:404, erp:404"),
        (said("crm:1 erp:1", "perhaps"), "its verdict is neither same nor different: perhaps"),
        (said("crm:1 erp:1", ""), "its verdict is neither same nor different: nothing"),
    ],
)
def test_a_decision_that_cannot_hold_is_refused_with_the_reason(decision: Decided, why: str) -> None:
    pairs = match((crm("1", "Acme"), erp("1", "Birch")), (decision,))
    assert [(p.verdict, p.reason) for p in pairs] == [("refused", why)]


def test_the_order_of_records_and_decisions_changes_nothing() -> None:
    records, truth = two_systems(400, 11)
    true = sorted(truth)[:6]
    decided = [said(" ".join(pair), "different" if i % 2 else "same", i) for i, pair in enumerate(true)]
    first = match(records, decided)
    for seed in range(3):
        dice = Random(seed)
        again, said_again = list(records), list(decided)
        dice.shuffle(again)
        dice.shuffle(said_again)
        assert match(again, said_again) == first


def test_no_record_is_joined_to_two_of_one_system() -> None:
    records, _ = two_systems(1_500, 12)
    joined = [p for p in match(records) if p.verdict == "joined"]
    for side in ("left_id", "right_id"):
        keys = [getattr(p, side) for p in joined]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("seed", [21, 22])
def test_what_is_joined_is_right_and_more_than_simpler_ways_find(seed: int) -> None:
    found = measure(1_500, seed)
    assert found.names is not None
    assert found.matching.precision >= 0.99
    assert found.matching.recall > found.exact.recall + 0.2
    assert found.matching.precision > found.names.precision + 0.05
    assert found.matching.f1 > max(found.exact.f1, found.names.f1)
    # What is not joined is mostly on the table: a person sees it.
    assert (found.matching.right + found.suggested_right) / found.matching.true > 0.9


def test_pairs_to_judge_grow_with_the_records_not_with_their_square() -> None:
    def count(size: int) -> int:
        records = sorted(two_systems(size, 5)[0], key=lambda r: r.customer_id)
        groups = [group_of(r.customer_id, [r]) for r in records]
        return len(candidates(groups, Weights(r.read for r in records)))

    assert count(2_000) < 3 * count(1_000)


def test_pairs_come_with_a_sentence() -> None:
    (pair,) = match((crm("1", "Acme Foods Inc", country="US", **SITE), erp("1", "Acme Foods", country="US", **SITE)))
    assert pair == Pair(
        "crm:1",
        "erp:1",
        "joined",
        "domain, country and name",
        100,
        "same domain; same country; same name but for its writing",
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"website": "acme.example"}, {}),
        ({"postal_code": "AB1 2CD"}, {}),
        ({"email": "ap@acme.example"}, {}),
        ({"city": "Alton", "country": "GB"}, {"country": "GB"}),
        ({"city": "Alton", "country": "GB"}, {"city": "Alton"}),
        ({"website": "acme.example", "country": "GB"}, {"postal_code": "AB1 2CD", "country": "GB"}),
    ],
)
def test_what_only_one_side_states_is_no_evidence(left: dict[str, str], right: dict[str, str]) -> None:
    assert verdict(crm("1", "Acme Foods", **left), erp("1", "Acme Foods", **right)) == "suggested: name alone"
    assert verdict(crm("1", "Acme Foods", **right), erp("1", "Acme Foods", **left)) == "suggested: name alone"


def test_a_pair_says_what_speaks_for_it_and_against_it() -> None:
    both = {"email": "ap@acme.example", "postal_code": "AB1 2CD", "city": "Alton"}
    (pair,) = match([
        crm("1", "Acme Foods Ltd", tax_id="GB811234567", country="GB", **both),
        erp("1", "Acme Foods GmbH", tax_id="DE611234567", country="DE", **both),
    ])  # fmt: skip
    assert (pair.verdict, pair.rule, pair.score) == ("suggested", "contradicted", 100)
    assert pair.reason == (
        "same mailbox, domain, post code, city; different tax id, country, legal form; same name but for its writing"
    )


def test_of_several_records_the_one_whose_name_is_most_alike_speaks() -> None:
    other = Record("billing:1", "billing", "Acme Foods", names=("crm:1",), website="acme.example")
    (pair,) = match([crm("1", "Old Name"), other, erp("1", "Acme Foods", website="acme.example")])
    assert (pair.left_id, pair.right_id, pair.score) == ("billing:1", "erp:1", 100)
    (pair,) = match([crm("1", "Acme Foods"), other, erp("1", "Acme Foods", website="acme.example")])
    assert (pair.left_id, pair.right_id) == ("billing:1", "erp:1")
