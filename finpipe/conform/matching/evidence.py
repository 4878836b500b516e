"""Facts about a customer beside its name, as far as two systems may write them differently.

Belongs here: tax registrations, domains, countries, plain text.  Does not belong here: what they prove.
"""

import re
import unicodedata
from functools import lru_cache

_EVERYBODY = """
aol.com comcast.net facebook.com fastmail.com free.fr gmail.com gmx.at gmx.de gmx.net google.com googlemail.com
hotmail.com hotmail.co.uk icloud.com instagram.com laposte.net libero.it linkedin.com live.com mac.com mail.com mail.ru
me.com msn.com naver.com orange.fr outlook.com proton.me protonmail.com qq.com rediffmail.com t-online.de twitter.com
verizon.net wanadoo.fr web.de wixsite.com wordpress.com x.com yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr
yandex.ru ymail.com 163.com 126.com blogspot.com github.io shopify.com squarespace.com youtube.com
"""
#: Where everybody has mail or a page: such a domain says nothing of who it is.
PUBLIC = frozenset(_EVERYBODY.split())
#: Second labels under which countries give names away, as in acme.co.uk.
_SECOND = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"})
#: Prefixes of VAT numbers that are not the country's ISO code.
_PREFIXES = {"EL": "GR", "XI": "GB"}
_NO_COUNTRY = frozenset({"EU", "IM", "NO"})
_LEADS_UP = "01234567890123456789"


@lru_cache(maxsize=100_000)
def plain(text: str | None) -> str | None:
    """Letters and digits only, upper case, without accents; nothing of nothing."""
    parts = unicodedata.normalize("NFKD", (text or "").upper())
    return "".join(c for c in parts if c.isalnum()) or None


def country(text: str | None) -> str | None:
    """An ISO code, if it is one."""
    said = plain(text)
    return said if said and re.fullmatch(r"[A-Z]{2}", said) else None


def country_of_tax(tax_id: str | None) -> str | None:
    """The country whose prefix a VAT number has."""
    said = plain(tax_id) or ""
    found = re.match(r"([A-Z]{2})[0-9A-Z]*[0-9]{5}", said)
    return _PREFIXES.get(found[1], found[1]) if found and found[1] not in _NO_COUNTRY else None


def tax_number(tax_id: str | None, stated: str | None) -> str | None:
    """The number without its country (``DE 123 456 789`` and ``123456789`` are one); nothing for a place-holder."""
    said = plain(tax_id) or ""
    prefix = country_of_tax(tax_id)
    if prefix and prefix in (country(stated) or prefix, _PREFIXES.get(said[:2])):
        said = said[2:]
    digits = "".join(c for c in said if c.isdigit())
    if len(said) < 6 or len(digits) < 4 or len(set(digits)) == 1 or digits in _LEADS_UP or digits in _LEADS_UP[::-1]:
        return None
    return said


def domain_of_site(website: str | None) -> str | None:
    """The registered domain of a web address."""
    return _registered(re.sub(r"^[a-z][a-z0-9+.-]*://", "", (website or "").strip().lower()))


def domain_of_mail(email: str | None) -> str | None:
    """The registered domain of a mail address."""
    return _registered((email or "").strip().lower().rpartition("@")[2]) if "@" in (email or "") else None


@lru_cache(maxsize=100_000)
def _registered(address: str) -> str | None:
    host = re.split(r"[/?#:\s]", address, maxsplit=1)[0].strip(".")
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit():
        return None
    depth = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    domain = ".".join(labels[-depth:])
    return None if domain in PUBLIC or host in PUBLIC else domain
