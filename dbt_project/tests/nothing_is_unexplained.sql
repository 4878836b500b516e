-- A difference that no exception explains is shown as a number that must be zero. It may be the company's data: a warning.
{{ config(severity='warn') }}
select reconciliation_id, legal_entity_id, currency, period, unexplained_amount
from {{ ref('reconciliations') }}
where unexplained_amount <> 0
