"""Companies whose truth is known, as two systems that never heard of each other write them down.

Belongs here: an invented trade register with families, namesakes and neighbours, and the clerks who copy from it.
Nothing here knows how customers are matched: words, slips and habits are its own.
"""

from dataclasses import dataclass, replace
from random import Random

from finpipe.conform.matching import Record


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HEADS = _words("""
Alder Amber Apex Argo Aster Atlas Basalt Beacon Birch Bluefin Boreal Brook Calder Cedar Cinder Clover Cobalt Comet
Coral Crest Dawn Delmar Dover Eagle Elm Ember Falcon Fern Finch Flint Fjord Garnet Glen Harrow Hazel Heron Hollow
Indigo Iris Jasper Juniper Kestrel Kite Larch Linden Lumen Lynx Maple Marlin Meadow Merrow Müller Navar Nimbus
Northgate Oakham Onyx Opal Orchid Osprey Otter Pembroke Pine Quartz Quill Raven Redwood Ridge Rowan Saffron Sable
Sierra Solano Sparrow Stone Summit Tamar Thistle Tundra Umber Vale Verdant Vesper Wren Yarrow Zephyr
""")
_TAILS = _words("""
bank berg brook burn bury croft dale field ford forge gate haven heath hill holm hurst ley mark mere mill moor mount
nor port rise shore side stead stone ton vale view ville ward water way well wick wood worth
""")
_TRADES = _words("""
Foods Robotics Textiles Energy Optics Media Marine Mining Software Paper Glass Avionics Seeds Motors Cement Dental
Travel Packaging Timber Steel Fisheries Printing Ceramics Bearings Plastics Cosmetics Furniture Logistics
Pharmaceuticals Technologies Systems Services Solutions Electronics Engineering
""")
_SISTERS = _words("""
Holdings Trading Properties Leasing Ventures Distribution Retail Capital Export North South
""")
_LANDS = {
    "US": ("Inc.", "LLC", "Corp."),
    "GB": ("Ltd", "PLC", "LLP"),
    "DE": ("GmbH", "AG", "KG"),
    "FR": ("SAS", "SARL", "SA"),
}
_SPELT = {
    "Inc.": ("Inc", "Incorporated", "INC.", ", Inc."),
    "Corp.": ("Corporation", "Corp"),
    "LLC": ("L.L.C.", "llc"),
    "Ltd": ("Limited", "LTD.", "Ltd."),
    "PLC": ("plc", "P.L.C."),
    "GmbH": ("GMBH", "G.m.b.H."),
    "AG": ("A.G.",),
    "SAS": ("S.A.S.",),
    "SARL": ("S.à r.l.", "Sarl"),
    "SA": ("S.A.",),
    "LLP": ("L.L.P.",),
    "KG": ("K.G.",),
}
_CUT = {
    "Technologies": "Tech",
    "Systems": "Sys",
    "Services": "Svcs",
    "Solutions": "Solns",
    "Engineering": "Eng.",
    "Holdings": "Hldgs",
    "International": "Intl.",
    "Pharmaceuticals": "Pharma",
    "Distribution": "Distr.",
    "Manufacturing": "Mfg",
    "Logistics": "Log.",
}
_CITIES = _words("""
Alton Barrow Castel Dorning Elsham Farley Grantham Hexby Ilkton Jarrow Kelso Lorne Marsden Norby Orrin Padley Quorn
Ribston Selby Tarn
""")


@dataclass(frozen=True)
class Company:
    """A company of the register; ``no`` is its truth."""

    no: int
    words: tuple[str, ...]
    form: str
    land: str
    city: str
    post: str
    tax: str
    domain: str


def register(count: int, dice: Random) -> list[Company]:
    """Companies, every fourth of them a sister, a namesake or a neighbour of the one before."""
    found: list[Company] = []
    while len(found) < count:
        found.append(_founded(len(found), dice))
        if dice.random() < 0.22:
            found += [_alike(found[-1], len(found) + i, dice) for i in range(dice.choice((1, 1, 1, 2)))]
    return found[:count]


def _founded(no: int, dice: Random) -> Company:
    land = dice.choice(sorted(_LANDS))
    head = dice.choice(_HEADS) + dice.choice(("", *_TAILS))
    words = (head, dice.choice(_HEADS), dice.choice(_TRADES)) if dice.random() < 0.4 else (head, dice.choice(_TRADES))
    words = (*words, "International") if dice.random() < 0.06 else words
    return Company(
        no=no,
        words=words,
        form=dice.choice(_LANDS[land]),
        land=land,
        city=dice.choice(_CITIES),
        # Business parks: one code for many.
        post=f"{dice.randrange(100, 130)}00" if dice.random() < 0.1 else f"{dice.randrange(10_000, 99_999)}",
        tax=f"{dice.randrange(10**8, 10**9)}",
        domain=_domain(words, no, dice),
    )


def _domain(words: tuple[str, ...], no: int, dice: Random) -> str:
    plain = "".join(words[: dice.choice((1, 2))]).lower().replace("ü", "ue")
    return f"{plain}{no if dice.random() < 0.9 else ''}.example"


def _alike(one: Company, no: int, dice: Random) -> Company:
    """Another company that is easily taken for this one."""
    kind = dice.random()
    fresh = _founded(no, dice)
    other_form = dice.choice([f for f in _LANDS[one.land] if f != one.form])
    if kind < 0.45:  # a sister: another trade under one roof, on one web site
        words = (*one.words[:-1], dice.choice([s for s in _SISTERS if s not in one.words]))
        tax = one.tax if dice.random() < 0.1 else fresh.tax  # some families are one for the tax office
        return replace(one, no=no, words=words, tax=tax, form=dice.choice((one.form, other_form)))
    if kind < 0.6:  # the parent or the operating company: one word more
        return replace(one, no=no, words=(*one.words, dice.choice(_SISTERS)), tax=fresh.tax)
    if kind < 0.7:  # the same name in another legal form, next door
        return replace(one, no=no, form=other_form, tax=fresh.tax)
    if kind < 0.8:  # the subsidiary abroad, on the parent's web site
        return replace(
            fresh, words=one.words, domain=one.domain, land=dice.choice([x for x in _LANDS if x != one.land])
        )
    if kind < 0.9:  # a namesake elsewhere
        return replace(fresh, words=one.words, land=one.land, form=one.form)
    if kind < 0.92:  # a namesake in the same town
        return replace(fresh, words=one.words, land=one.land, form=one.form, city=one.city)
    return replace(fresh, words=(*one.words[:-1], dice.choice(_TRADES)), city=one.city, post=one.post)  # a neighbour


def written(company: Company, key: str, system: str, dice: Random, given: dict[str, float]) -> Record:
    """The company as one clerk enters it: ``given`` says how often each field is filled."""
    has = {field: dice.random() < often for field, often in given.items()}
    tax = dice.choice((company.tax, company.land + company.tax, f"{company.land} {company.tax[:3]} {company.tax[3:]}"))
    if dice.random() < 0.01:
        tax = dice.choice(("n/a", "000000000", "123456789", "UNKNOWN"))
    return Record(
        customer_id=key,
        system=system,
        name=_named(company, dice),
        country=company.land if has["country"] else None,
        city=_cased(company.city, dice) if has["city"] else None,
        postal_code=company.post if has["post"] else None,
        tax_id=tax if has["tax"] else None,
        email=_mail(company, dice) if has["email"] else None,
        website=_site(company, dice) if has["website"] else None,
    )


def _mail(company: Company, dice: Random) -> str:
    roll = dice.random()
    if roll < 0.08:
        return f"{company.words[0].lower()}{company.no}@{dice.choice(('gmail.com', 'outlook.com', 'gmx.de'))}"
    if roll < 0.1:
        return f"ap@bookkeepers{dice.randrange(200)}.example"  # an outside book-keeper
    return f"{dice.choice(('billing', 'ap', 'accounts', 'kim'))}@{company.domain}"


def _site(company: Company, dice: Random) -> str:
    if dice.random() < 0.02:
        return f"https://www.linkedin.com/company/{company.no}"
    return dice.choice(("", "https://", "http://www.", "www.")) + company.domain + dice.choice(("", "/", "/en/home"))


def _named(company: Company, dice: Random) -> str:
    words = list(company.words)
    words = [_CUT[w] if w in _CUT and dice.random() < 0.3 else w for w in words]
    if dice.random() < 0.1:
        at = dice.randrange(len(words))
        words[at] = _slip(words[at], dice)
    if dice.random() < 0.03:
        dice.shuffle(words)
    if dice.random() < 0.03 and len(words) > 2:
        words.pop()
    if dice.random() < 0.01:
        words = ["".join(w[0] for w in words)]
    if dice.random() < 0.01:
        words = ["Former", dice.choice(_HEADS), dice.choice(_TRADES)]
    if dice.random() < 0.04:
        words.insert(0, "The")
    form = company.form if dice.random() > 0.02 else dice.choice(_LANDS[company.land])
    form = dice.choice(_SPELT.get(form, (form,))) if dice.random() < 0.4 else form
    name = " ".join(words) + ("" if dice.random() < 0.15 else f" {form}")
    return _cased(name.replace("ü", "u") if dice.random() < 0.5 else name, dice)


def _slip(word: str, dice: Random) -> str:
    at = dice.randrange(1, len(word)) if len(word) > 1 else 0
    return dice.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at : at + 1] + word[at:],
            word[:at] + dice.choice("aeiourstln") + word[at + 1 :],
            word[: at - 1] + word[at : at + 1] + word[at - 1 : at] + word[at + 1 :],
        )
    )


def _cased(text: str, dice: Random) -> str:
    roll = dice.random()
    return text.upper() if roll < 0.12 else text.lower() if roll < 0.16 else text


#: How often each field is filled: a CRM knows web sites, an ERP tax registrations and addresses.
CRM = {"country": 0.85, "city": 0.6, "post": 0.5, "tax": 0.3, "email": 0.15, "website": 0.75}
ERP = {"country": 0.8, "city": 0.8, "post": 0.75, "tax": 0.65, "email": 0.7, "website": 0.3}


def two_systems(count: int, seed: int) -> tuple[list[Record], set[tuple[str, str]]]:
    """About ``count`` records of each of two systems in any order, and the pairs that are one company."""
    dice = Random(seed)
    records, truth = [], set()
    for company in register(round(count * 1.28), dice):
        where = dice.random()
        if where < 0.78:
            records.append(written(company, f"crm:{company.no:06d}", "crm", dice, CRM))
        if where < 0.56 or where >= 0.78:
            records.append(written(company, f"erp:{company.no * 7 + 3:06d}", "erp", dice, ERP))
        if where < 0.56:
            truth.add((f"crm:{company.no:06d}", f"erp:{company.no * 7 + 3:06d}"))
    dice.shuffle(records)
    return records, truth
