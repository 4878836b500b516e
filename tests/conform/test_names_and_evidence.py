"""The parts of matching by themselves: names, facts, what groups are found by, what is judged of two of them."""

import pytest

from finpipe.conform.matching import Record, blocks
from finpipe.conform.matching.blocks import _KINDS, _pairs_in, candidates
from finpipe.conform.matching.evidence import country, country_of_tax, domain_of_mail, domain_of_site, plain, tax_number
from finpipe.conform.matching.groups import Group, Joined, contradict, group_of
from finpipe.conform.matching.judge import _are_initials, _most_alike, _rule, _Seen
from finpipe.conform.matching.names import Likeness, Weights, _typing, compare, read_name

# Facts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, None), ("", None), (" - ", None), ("ab-1 2", "AB12"), ("Köln", "KOLN"), ("straße", "STRASSE")],
)
def test_plain_text_is_letters_and_digits(text: str | None, said: str | None) -> None:
    assert plain(text) == said


@pytest.mark.parametrize(("text", "said"), [("us", "US"), ("USA", None), ("U", None), ("D3", None), (None, None)])
def test_a_country_is_an_iso_code(text: str | None, said: str | None) -> None:
    assert country(text) == said


@pytest.mark.parametrize(
    ("tax_id", "said"),
    [
        ("DE811234567", "DE"), ("de 811 234 567", "DE"), ("EL12345678", "GR"), ("XI123456789", "GB"),
        ("ATU12345678", "AT"), ("EU372012345", None), ("NO12345", None), ("IM98765432", None), ("811234567", None),
        ("DE1234", None), ("D12345678", None), (None, None),
    ],
)  # fmt: skip
def test_a_vat_number_begins_with_its_country(tax_id: str | None, said: str | None) -> None:
    assert country_of_tax(tax_id) == said


@pytest.mark.parametrize(
    ("tax_id", "stated", "said"),
    [
        ("DE 811 234 567", None, "811234567"),
        ("DE811234567", "de", "811234567"),
        ("DE811234567", "FR", "DE811234567"),  # no prefix of the country that is stated
        ("EL81234567", "GR", "81234567"),
        ("EL81234567", "FR", "81234567"),  # a prefix that can be nothing else
        ("811234567", "DE", "811234567"),
        ("AB1357", None, "AB1357"),  # six signs, four of them digits
        ("ABC135", None, None),
        ("A1357", None, None),
        ("111111111", None, None),
        ("AB0000", None, None),
        ("123456789", None, None),
        ("987654321", None, None),
        ("DE012345678", "DE", None),
        ("9876543219", None, "9876543219"),
        (None, None, None),
    ],
)
def test_a_registration_is_its_number_and_a_place_holder_is_none(
    tax_id: str | None, stated: str | None, said: str | None
) -> None:
    assert tax_number(tax_id, stated) == said


@pytest.mark.parametrize(
    ("website", "said"),
    [
        ("https://www.Acme.example/en?x=1", "acme.example"),
        ("acme.example", "acme.example"),
        (" http://shop.acme.example:8080 ", "acme.example"),
        ("git+ssh://acme.example#top", "acme.example"),
        (".acme.example.", "acme.example"),
        ("acme.example is ours", "acme.example"),
        ("www.acme.co.uk", "acme.co.uk"),
        ("acme.co.uk", "acme.co.uk"),
        ("www.acme.co.example", "co.example"),
        ("www.acme.shop.uk", "shop.uk"),
        ("co.uk", "co.uk"),
        ("acme", None),
        ("acme..example", None),
        ("10.0.0.1", None),
        ("gmail.com", None),
        ("www.facebook.com/acme", None),
        ("acme.wixsite.com", None),
        ("", None),
        (None, None),
    ],
)
def test_a_site_has_a_registered_domain_unless_it_is_everybodys(website: str | None, said: str | None) -> None:
    assert domain_of_site(website) == said


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("AP@Mail.Acme.example ", "acme.example"), ("a@b@acme.example", "acme.example"), ("acme.example", None),
        ("acme@gmail.com", None), ("acme@yahoo.co.uk", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_mailbox_has_a_domain_unless_everybody_has_mail_there(email: str | None, said: str | None) -> None:
    assert domain_of_mail(email) == said


def test_a_record_states_facts_without_habits_of_writing() -> None:
    record = Record(
        "crm:1", "crm", "Acme, Inc.", city="Bad Köln", postal_code="ab-1 2cd", tax_id="DE 811 234 567",
        email="a@acme.example", website="acme.shop.example",
    )  # fmt: skip
    assert (record.read.words, record.read.form) == (("acme",), "inc")
    assert (record.tax, record.land, record.place, record.town) == ("811234567", "DE", "AB12CD", "BADKOLN")
    assert record.domains == {"acme.example", "shop.example"}
    assert Record("crm:1", "crm", country="fr", tax_id="DE811234567").land == "FR"
    empty = Record("crm:1", "crm")
    assert (empty.tax, empty.land, empty.place, empty.town, empty.domains) == (None, None, None, None, frozenset())


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "form"),
    [
        (None, (), ""),
        ("O'Neill’s Garage", ("oneills", "garage"), ""),
        ("Smith+Sons", ("smith", "sons"), ""),
        ("Blåbær Øl ApS", ("blabaer", "ol"), "aps"),
        ("Acme Holding Co., Ltd. Inc.", ("acme", "holdings"), "inc"),
        ("Ltd Inc", ("ltd",), "inc"),
        ("The And", ("the", "and"), ""),
        ("Public Limited Company", ("public",), "ltd"),
        ("Acme Gesellschaft mit beschränkter Haftung", ("acme",), "gmbh"),
        ("Tech Svcs Mfg", ("technologies", "services", "manufacturing"), ""),
    ],
)
def test_a_name_comes_to_its_words_and_its_form(text: str | None, words: tuple[str, ...], form: str) -> None:
    name = read_name(text)
    assert (name.words, name.form) == (words, form)


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("acme", "acne", 1), ("acme", "acem", 1), ("acme", "acmes", 1), ("acme", "acnes", None), ("acm", "acn", None),
        ("acme", "acm", None), ("acme1", "acme2", None), ("acmeons", "acneont", None), ("northern", "norhtenr", 2),
        ("northern", "norhtenrx", None),
    ],
)  # fmt: skip
def test_slips_of_typing_are_few_and_never_in_numbers_or_short_words(one: str, other: str, slips: int | None) -> None:
    assert _typing(one, other) == _typing(other, one) == slips


def test_a_word_tells_the_more_the_fewer_names_have_it() -> None:
    weights = Weights(read_name(text) for text in ["acme acme", "acme birch", "acme", "acme cobalt", *["acme"] * 4])
    assert (weights.names, weights.counts["acme"]) == (8, 8)
    assert [weights.of(word) for word in ("acme", "birch", "nobody")] == [1, 4, 4]
    assert Weights([]).of("acme") == 1
    assert [Weights([read_name("acme")] * n).of("x") for n in (1, 2, 3, 4)] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Acme", "", Likeness(0, 0, 1, 1)),
        ("Acme Birch", "Birch Acme", Likeness(100, 0, 0, 0)),
        ("Data Soft", "Datasoft", Likeness(100, 0, 0, 0)),
        ("Acme Birch", "Acme Cobalt", Likeness(50, 0, 1, 1)),
        ("Acme", "Acme Cobalt", Likeness(66, 0, 0, 1)),
        ("Acme Cobalt", "Acne Cobalt", Likeness(95, 1, 0, 0)),
        ("Acme", "Acne", Likeness(90, 1, 0, 0)),
        ("Acme Acme Birch", "Acme Birch", Likeness(80, 0, 1, 0)),
        ("Amber Bravo Delta Gamma Sigma", "Amber Bravu Deltu Gammu Sigmu Export", Likeness(83, 4, 0, 1)),
    ],
)
def test_the_score_is_the_share_of_what_both_names_say(one: str, other: str, said: Likeness) -> None:
    """All words are equally rare here: what is on both sides counts whole, what is mistyped nine tenths."""
    assert compare(read_name(one), read_name(other), Weights([])) == said
    turned = Likeness(said.score, said.typos, said.only_right, said.only_left)
    assert compare(read_name(other), read_name(one), Weights([])) == turned


def test_a_rare_word_that_is_mistyped_counts_as_what_it_stands_for() -> None:
    weights = Weights([*[read_name("acme")] * 7, read_name("acne")])
    assert (weights.of("acme"), weights.of("acne")) == (1, 4)
    assert compare(read_name("acme"), read_name("acne"), weights) == Likeness(36, 1, 0, 0)
    assert compare(read_name("acne"), read_name("acme"), weights) == Likeness(36, 1, 0, 0)


def test_a_word_of_many_names_tells_little_where_it_is_shared() -> None:
    weights = Weights(map(read_name, ["acme"] * 8))
    assert compare(read_name("Acme Birch"), read_name("Acme Cobalt"), weights) == Likeness(20, 0, 1, 1)


def test_the_longest_word_chooses_first() -> None:
    """``norther`` would take the only word that is near to it, and leave ``northern`` one that is farther."""
    one, other = read_name("norther northern"), read_name("northerm northernab")
    assert compare(one, other, Weights([])) == Likeness(45, 1, 1, 1)


def test_of_several_near_words_the_nearest_is_taken_once() -> None:
    both = compare(read_name("northern northerm"), read_name("northern norhterm"), Weights([]))
    assert both == Likeness(95, 1, 0, 0)
    assert compare(read_name("acme acne"), read_name("acmf"), Weights([])) == Likeness(60, 1, 1, 0)


# Groups and what they are found by ------------------------------------------------------------------------------------


def group(*records: Record) -> Group:
    return group_of(records[0].customer_id, list(records))


def one(key: str, name: str | None = None, system: str | None = None, **facts: str) -> Group:
    return group(Record(key, system or key.partition(":")[0], name, **facts))


def keys(given: Group, weights: Weights) -> set[tuple[str, str]]:
    return {(kind, key) for kind, made in _KINDS.items() for key in made(given, weights)}


def found(*groups: Group) -> list[tuple[str, str]]:
    return [(a.key, b.key) for a, b in candidates(groups, Weights([]))]


def test_the_first_key_stands_for_its_set_whatever_the_order_of_joining() -> None:
    for pairs in (["ab", "bc", "de"], ["de", "cb", "ba"], ["ca", "ed", "bc", "ac"]):
        joined = Joined("edcbaf")
        for pair in pairs:
            joined.join(*pair)
        assert joined.sets() == {"a": ["a", "b", "c"], "d": ["d", "e"], "f": ["f"]}
        assert [joined.top(key) for key in "abcdef"] == list("aaaddf")


def test_a_group_states_what_its_records_state() -> None:
    both = group(
        Record("crm:1", "crm", "Acme", "US", "Alton", "12345", "811234567", " AP@Acme.example "),
        Record("erp:1", "netsuite", "Acme", website="acme.shop.example"),
    )
    assert (both.key, both.systems, both.taxes, both.lands) == ("crm:1", {"crm", "netsuite"}, {"811234567"}, {"US"})
    assert both.domains == {"acme.example", "shop.example"}
    assert (both.mails, both.places, both.towns) == ({"ap@acme.example"}, {"12345"}, {"ALTON"})
    assert [r.customer_id for r in both.records] == ["crm:1", "erp:1"]


def test_two_sides_contradict_each_other_where_both_say_something_and_nothing_in_common() -> None:
    a, ab, b, none = frozenset("a"), frozenset("ab"), frozenset("b"), frozenset("")
    assert contradict(a, b)
    assert not any(contradict(*two) for two in ((a, ab), (a, a), (a, none), (none, b), (none, none)))


def test_a_group_is_found_by_its_facts_and_by_the_two_rarest_words_of_a_name() -> None:
    weights = Weights(map(read_name, ["acme foods export", "acme foods", "acme", "acme"]))
    given = one("crm:1", "Export Foods Acme", tax_id="811234567", email="ap@acme.example", postal_code="12345")
    assert keys(given, weights) == {
        ("tax", "811234567"), ("domain", "acme.example"), ("mail", "ap@acme.example"), ("place", "12345"),
        ("name", "acme export foods"), ("joined", "exportfoodsacme"), ("word", "export"), ("word", "foods"),
    }  # fmt: skip
    assert keys(one("crm:1", "- -"), weights) == set()


def test_pairs_are_of_two_systems_each_once_in_order_of_their_keys() -> None:
    given = [one("erp:1", "Acme Foods", "a_ledger"), one("crm:2", "Acme Foods"), one("crm:1", "Acme Foods")]
    assert found(*given) == [("crm:1", "erp:1"), ("crm:2", "erp:1")]
    assert found(*given[1:]) == []
    both = group(Record("crm:3", "crm", "Acme Foods"), Record("erp:3", "a_ledger", "Acme Foods"))
    assert found(both, *given) == [("crm:1", "erp:1"), ("crm:2", "erp:1")]
    assert found(one("crm:1", "Acme"), one("erp:1", "Birch")) == []


def test_pairs_of_a_block_are_counted_between_systems() -> None:
    both = group(Record("crm:9", "crm"), Record("billing:9", "billing"))
    given = [one("crm:1"), one("crm:2"), one("erp:1"), one("erp:2"), one("erp:3"), both]
    assert _pairs_in(given) == 2 * 3 + 3 * 1
    assert _pairs_in(given[:2]) == 0


def crowd(**facts: str) -> list[Group]:
    """Two by two of one fact, of two names."""
    names = ("Acme Foods", "Birch Paper")
    return [one(f"{side}:{n}", names[n], **facts) for side in ("crm", "erp") for n in (0, 1)]


ALL = [("crm:0", "erp:0"), ("crm:0", "erp:1"), ("crm:1", "erp:0"), ("crm:1", "erp:1")]


@pytest.mark.parametrize(("limit", "pairs"), [(4, ALL), (3, [ALL[0], ALL[3]]), (1, [ALL[0], ALL[3]])])
def test_a_block_that_is_too_large_is_parted_by_the_words_of_names(
    monkeypatch: pytest.MonkeyPatch, limit: int, pairs: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(blocks, "LIMIT", limit)
    monkeypatch.setattr(blocks, "FEW", 0)
    assert found(*crowd(postal_code="12345")) == pairs


def test_a_part_that_is_still_too_large_is_no_reason_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LIMIT", 0)
    monkeypatch.setattr(blocks, "FEW", 0)
    assert found(*crowd(postal_code="12345")) == []


def test_typing_at_the_end_of_a_word_hides_no_pair_of_a_large_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LIMIT", 1)
    monkeypatch.setattr(blocks, "FEW", 0)
    here = {"postal_code": "12345"}
    given = [one("crm:0", "Acmeson", **here), one("erp:0", "Acmebon", **here), one("erp:1", "Acmxson", **here)]
    assert found(*given) == [("crm:0", "erp:0")]


def test_a_word_gives_few_pairs_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [one("crm:0", "Acme Foods"), one("erp:0", "Acme Birch"), one("erp:1", "Acme Cobalt")]
    for few, pairs in ((2, [("crm:0", "erp:0"), ("crm:0", "erp:1")]), (1, [])):
        monkeypatch.setattr(blocks, "FEW", few)
        assert found(*given) == pairs


# What is judged of two groups -----------------------------------------------------------------------------------------

SAME, CLOSE, CONFLICT, FAR = Likeness(100, 0, 0, 0), Likeness(60, 0, 0, 1), Likeness(60, 0, 1, 1), Likeness(54, 0, 0, 1)


def seen(likeness: Likeness, evidence: str = "", against: str = "", **more: object) -> _Seen:
    facts: dict[str, object] = {"is_one_land": False, "is_initials": False, "words": 2, **more}
    return _Seen(likeness, tuple(filter(None, evidence.split(", "))), tuple(filter(None, against.split(", "))), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "rule"),
    [
        # One registration joins what is vouched for by country or name, unless it looks like that of a tax group.
        (seen(SAME, "tax id"), "tax id"),
        (seen(SAME, "tax id", "country"), "contradicted"),
        (seen(Likeness(24, 0, 1, 1), "tax id", is_one_land=True), "tax id"),
        (seen(Likeness(25, 0, 1, 1), "tax id", is_one_land=True), "evidence, name differs"),
        (seen(Likeness(24, 0, 1, 1), "tax id"), "evidence, name differs"),
        # A name that is the same, with what a namesake would not have.
        (seen(SAME, "domain", is_one_land=True), "domain, country and name"),
        (seen(SAME, "domain"), "name and evidence"),
        (seen(SAME, "mailbox", is_one_land=True), "name and evidence"),
        (seen(SAME, "post code"), "name and evidence"),
        (seen(Likeness(99, 1, 0, 0), "domain", is_one_land=True), "name and evidence"),
        (seen(Likeness(80, 1, 0, 0), "domain"), "name and evidence"),
        (seen(SAME, "domain", "legal form"), "contradicted"),
        # A city is that only for a name of several words that is written alike, in one country.
        (seen(SAME, "city", is_one_land=True), "name and evidence"),
        (seen(SAME, "city"), "name alone"),
        (seen(SAME, "city", is_one_land=True, words=1), "name alone"),
        (seen(Likeness(99, 1, 0, 0), "city", is_one_land=True), "name alone"),
        # A name alone is a question, unless what must not differ does.
        (seen(SAME), "name alone"),
        (seen(SAME, "", "legal form"), "name alone"),
        (seen(SAME, "", "tax id"), None),
        (seen(SAME, "", "country"), None),
        # Names that differ are a question where there is evidence and nothing against it.
        (seen(Likeness(79, 1, 0, 0), "domain"), "evidence, name differs"),
        (seen(CLOSE, "mailbox"), "evidence, name differs"),
        (seen(CLOSE, "post code"), "evidence, name differs"),
        (seen(Likeness(55, 0, 1, 0), "domain"), "evidence, name differs"),
        (seen(CLOSE, "city"), None),
        (seen(CLOSE, "domain", "legal form"), None),
        (seen(CLOSE), None),
        (seen(CONFLICT, "domain"), None),
        (seen(FAR, "domain"), None),
        (seen(FAR, "domain", is_initials=True), "evidence, name differs"),
        (seen(FAR, "mailbox", is_initials=True), None),
    ],
)
def test_what_is_seen_decides_by_which_rule(what: _Seen, rule: str | None) -> None:
    assert _rule(what) == rule


@pytest.mark.parametrize(
    ("short", "long", "are"),
    [
        ("IBM", "International Business Machines", True),
        ("IB", "Iron Birch", True),
        ("IB", "Iron Birch Mills", False),
        ("A", "Acme", False),
    ],
)
def test_initials_are_of_all_words_of_a_longer_name(short: str, long: str, *, are: bool) -> None:
    assert _are_initials(read_name(short), read_name(long)) is are
    assert not _are_initials(read_name(long), read_name(short))


def test_the_most_alike_records_speak_for_their_groups_by_key_where_several_are() -> None:
    left = group(Record("crm:2", "crm2", "Acme Foods"), Record("crm:1", "crm", "Acme Foods"), Record("crm:3", "crm3"))
    right = group(Record("erp:1", "erp", "Birch"), Record("erp:2", "erp2", "Acme Foods"))
    likeness, one_record, other_record = _most_alike(left, right, Weights([]))
    assert (likeness, one_record.customer_id, other_record.customer_id) == (SAME, "crm:1", "erp:2")
    right = group(Record("erp:1", "erp", "Acme Birch"), Record("erp:2", "erp2", "Acme Foods Export"))
    assert _most_alike(left, right, Weights([]))[2].customer_id == "erp:2"
    # One that is the same but for typing is more alike than one with a word more, whatever the score.
    weights = Weights(map(read_name, [*["acme"] * 7, "acne"]))
    right = group(Record("erp:1", "erp", "Acme Acme Acme Foods"), Record("erp:2", "erp2", "Acne"))
    likeness, _, other_record = _most_alike(one("crm:1", "Acme"), right, weights)
    assert (likeness.is_same, other_record.customer_id) == (True, "erp:2")
