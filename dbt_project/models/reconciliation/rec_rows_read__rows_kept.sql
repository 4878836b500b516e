-- R16, rows: what the reader counted in each file against what became of it. The amounts are counts.
with accounts as (
    select
        row_accounts.*,
        row_accounts.system || '/' || row_accounts.table_name || '#' || row_accounts.load_seq as record_id
    from {{ source('ledger', 'row_accounts') }} as row_accounts
),

records as (
    select
        record_id,
        record_id as label,
        [record_id] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        system as period,
        {{ money('rows') }} as rows_read,
        {{ money('accepted + superseded + duplicate + quarantined') }} as rows_kept,
        true as is_expected
    from accounts
),

left_records as (
    select
        *,
        rows_read as amount
    from records
),

right_records as (
    select
        *,
        rows_kept as amount
    from records
),

{{ reconcile_balances(
    'R16', 'rows', 'rows of', 'rows accounted for',
    checks=[{'code': 'CTRL-TOTAL', 'what': 'rows', 'left': 'l.amount', 'right': 'r.amount'}]
) }}

select * from reconciled
