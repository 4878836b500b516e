with entries as (
    select * from {{ ref('ar_ledger') }}
),

-- Several movements of a day leave one balance.
by_day as (
    select
        item_id,
        item_kind,
        document_number,
        customer_id,
        legal_entity_id,
        due_on,
        currency,
        functional_currency,
        moved_on,
        sum(amount) as amount,
        sum(functional_amount) as functional_amount
    from entries
    group by all
),

balances as (
    select
        item_id,
        item_kind,
        document_number,
        customer_id,
        legal_entity_id,
        due_on,
        currency,
        functional_currency,
        moved_on as holds_from_on,
        coalesce(
            cast(lead(moved_on) over (partition by item_id order by moved_on) - 1 as date), cast('9999-12-31' as date)
        ) as holds_until_on,
        {{ money('sum(amount) over (partition by item_id order by moved_on)') }} as open_amount,
        {{ money('sum(functional_amount) over (partition by item_id order by moved_on)') }} as functional_open_amount
    from by_day
),

open_items as (
    select
        item_id || '@' || cast(holds_from_on as varchar) as open_item_id,
        *,
        case
            when item_kind in ('invoice', 'debit_memo') then 'due'
            when item_kind in ('credit_memo', 'write_off') then 'credit'
            else 'unapplied'
        end as shown_as
    from balances
    where open_amount <> 0 or functional_open_amount <> 0
)

select * from open_items
