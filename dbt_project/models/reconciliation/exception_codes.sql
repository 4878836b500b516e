select
    code,
    severity,
    owner,
    sla_hours,
    meaning
from {{ source('reference', 'policy_codes') }}
