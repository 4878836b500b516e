select
    reconciliation_id,
    leg,
    left_name,
    right_name,
    measure,
    tolerance,
    owner
from {{ source('reference', 'policy_reconciliations') }}
