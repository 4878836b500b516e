"""Legal entities that keep books."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class LegalEntities(Canonical):
    """One row per legal entity (subsidiary)."""

    legal_entity_id: str = f.key("`<role>:<id>`.")
    name: str = f.text("Name.", required=True)
    parent_legal_entity_id: str = f.reference("Parent entity.", to="legal_entities", required=False)
    functional_currency: str = f.currency("Currency the entity keeps its books in.")
    calendar: str = f.text("Fiscal calendar the entity closes by, where the ERP keeps several.")
    country: str = f.text("ISO 3166 country code.")
    is_elimination: bool = f.flag("Exists for consolidation only.")
