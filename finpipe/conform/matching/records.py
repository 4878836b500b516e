"""What matching takes and gives.

Belongs here: its data.  Does not belong here: what is done with them.
"""

from dataclasses import dataclass, field

from finpipe.conform.matching import evidence
from finpipe.conform.matching.names import Name, read_name


@dataclass(frozen=True, slots=True)
class Record:
    """One customer record of one system, in force or merged away."""

    customer_id: str
    system: str
    name: str | None = None
    country: str | None = None
    city: str | None = None
    postal_code: str | None = None
    tax_id: str | None = None
    email: str | None = None
    website: str | None = None
    #: Records that this one names, or was merged into.
    names: tuple[str, ...] = field(default=())
    #: Its name without typing habits; it is asked for again and again.
    read: Name = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the name."""
        object.__setattr__(self, "read", read_name(self.name))

    @property
    def tax(self) -> str | None:
        """Its tax registration without writing habits."""
        return evidence.tax_number(self.tax_id, self.country)

    @property
    def land(self) -> str | None:
        """Its country, as stated or as its tax registration says."""
        return evidence.country(self.country) or evidence.country_of_tax(self.tax_id)

    @property
    def domains(self) -> frozenset[str]:
        """Domains of its own: not those where everybody has mail or pages."""
        found = (evidence.domain_of_site(self.website), evidence.domain_of_mail(self.email))
        return frozenset(d for d in found if d)

    @property
    def place(self) -> str | None:
        """Its post code without spaces."""
        return evidence.plain(self.postal_code)

    @property
    def town(self) -> str | None:
        """Its city, plain."""
        return evidence.plain(self.city)


@dataclass(frozen=True)
class Decided:
    """What a person said of two records; of several about one pair the caller gives the last."""

    decision_id: str
    left_id: str
    right_id: str
    verdict: str  # same, different


@dataclass(frozen=True)
class Pair:
    """Two records, what is said of them, by which rule and why; ``left_id`` sorts before ``right_id``."""

    left_id: str
    right_id: str
    verdict: str  # joined, suggested, parted, refused
    rule: str
    score: int
    reason: str
    decision_id: str | None = None
    #: Parted by a person, and one customer all the same, through other links.
    is_contradicted: bool = False
