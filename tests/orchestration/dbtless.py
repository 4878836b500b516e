"""dbt left out: everything else of a build is real, and the figures are those of won opportunities by month.

Belongs here: a stand-in for dbt that costs nothing.  Does not belong here: any rule of the models.
"""

import json
from pathlib import Path
from typing import Any

import duckdb

_SQL = """
create or replace table marts.calendar as
select date_on, p.name as period, p.starts_on as period_starts_on, p.ends_on as period_ends_on, q.quarter
from (select unnest(generate_series(date '2024-01-01', date '2025-12-31', interval 1 day))::date as date_on) as d
join canonical.accounting_periods as p on p.kind = 'period' and date_on between p.starts_on and p.ends_on
join (select name, ends_on, strftime(ends_on, '%Y') || '-Q' || quarter(ends_on) as quarter
    from canonical.accounting_periods where kind = 'period') as q on q.name = p.name and q.ends_on = p.ends_on;
create or replace table marts.period_figures as
select 'bookings' as measure, null::varchar as legal_entity_id, c.period, c.period_ends_on, c.quarter, o.currency,
    cast(sum(o.amount) + {more} as decimal(18, 4)) as amount
from canonical.opportunities as o
join marts.calendar as c on c.date_on = coalesce(o.signed_on, o.closes_on)
where o.is_won and coalesce(o.signed_on, o.closes_on) <= date '{as_of}'
group by all"""


class Dbtless:
    """Called in place of dbt; counts how often, and can fail or stop."""

    def __init__(self) -> None:
        self.calls = 0
        #: At which call the process is stopped, and whether tests pass.
        self.stops_at, self.passes = 0, True

    def __call__(self, command: list[str], *, warehouse: Path, variables: str, **_: Any) -> bool:
        self.calls += 1
        if self.calls == self.stops_at:
            raise KeyboardInterrupt
        said = json.loads(variables)
        # A policy that moves figures, so that it can be a cause.
        sql = _SQL.format(as_of=said["as_of"], more=1 if said["order_days"] == 77 else 0)
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(sql)
        return self.passes
