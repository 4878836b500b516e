-- One row per payout. Positive: sent to the bank; negative: Stripe drew from it.
with payouts as (select * from payout),

mapped as (
    select
        key('billing', id) as payout_id,
        status,
        iso_date(created) as created_on,
        iso_date(arrival_date) as arrives_on,
        upper(currency) as currency,
        from_minor(amount, upper(currency)) as amount,
        trace_ref,
        statement_descriptor as descriptor,
        is_true(automatic) as is_automatic,
        iso_instant(created) as valid_from,
        false as is_deleted,
        'payout' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from payouts
)

select * from mapped
