-- The restatement log: what moved a figure after it was closed. Open: not yet in any close. Adjusted: a later close has
-- taken it in as a prior-period adjustment. Reopened: the period is open again. Restated: it was closed again since.
with signed as (
    select * from {{ ref('int_closes__signed') }}
),

periods as (
    select * from {{ ref('int_periods__listed') }}
),

still as (
    select
        measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        label,
        currency,
        functional_currency,
        close_id,
        known_load_seq,
        case when is_in_force then 'open' else 'reopened' end as state,
        cast(null as varchar) as shown_close_id,
        cast(null as date) as shown_ends_on,
        is_closed,
        is_now,
        closed_amount + taken_in_amount as as_closed_amount,
        now_amount as as_now_amount,
        functional_moved_amount
    from {{ ref('int_figures__compared') }}
    where close_id is not null and (moved_amount <> 0 or functional_moved_amount <> 0)
),

stored as (
    select * from {{ ref('int_closings__signed') }}
),

taken_in as (
    select
        stored.measure,
        stored.legal_entity_id,
        stored.origin_ends_on as period_ends_on,
        stored.part,
        stored.document_id,
        stored.label,
        stored.currency,
        stored.functional_currency,
        origin.close_id,
        origin.known_load_seq,
        'adjusted' as state,
        stored.close_id as shown_close_id,
        stored.period_ends_on as shown_ends_on,
        items.amount is not null as is_closed,
        true as is_now,
        coalesce(items.amount, 0) as as_closed_amount,
        coalesce(items.amount, 0) + stored.amount as as_now_amount,
        coalesce(stored.functional_amount, 0) as functional_moved_amount
    from stored
    inner join signed as origin
        on
            stored.legal_entity_id = origin.legal_entity_id
            and stored.origin_ends_on = origin.period_ends_on
            and stored.measure = origin.measure
            and origin.next_close_id is null
    left join stored as items
        on
            origin.close_id = items.close_id
            and origin.legal_entity_id = items.legal_entity_id
            and origin.period_ends_on = items.period_ends_on
            and origin.measure = items.measure
            and items.kind = 'item'
            and stored.part = items.part
            and stored.document_id = items.document_id
            and stored.currency = items.currency
            and stored.functional_currency is not distinct from items.functional_currency
    where stored.kind = 'adjustment' and stored.is_in_force and stored.next_close_id is null
),

-- A period that was closed, reopened and closed again: the two closes against each other.
both_closes as (
    select
        measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        label,
        currency,
        functional_currency,
        close_id,
        known_load_seq,
        next_close_id as shown_close_id,
        true as is_before,
        amount,
        functional_amount
    from stored
    where next_close_id is not null and kind in ('item', 'opening')
    union all
    select
        stored.measure,
        stored.legal_entity_id,
        stored.period_ends_on,
        stored.part,
        stored.document_id,
        stored.label,
        stored.currency,
        stored.functional_currency,
        before.close_id,
        before.known_load_seq,
        stored.close_id,
        false,
        stored.amount,
        stored.functional_amount
    from stored
    inner join signed as before
        on
            stored.close_id = before.next_close_id
            and stored.legal_entity_id = before.legal_entity_id
            and stored.period_ends_on = before.period_ends_on
            and stored.measure = before.measure
    where stored.kind in ('item', 'opening')
),

closed_again as (
    select
        measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        max(label) as label,
        currency,
        functional_currency,
        close_id,
        known_load_seq,
        'restated' as state,
        shown_close_id,
        period_ends_on as shown_ends_on,
        bool_or(is_before) as is_closed,
        bool_or(not is_before) as is_now,
        sum(case when is_before then amount else 0 end) as as_closed_amount,
        sum(case when is_before then 0 else amount end) as as_now_amount,
        coalesce(sum(case when is_before then -functional_amount else functional_amount end), 0)
            as functional_moved_amount
    from both_closes
    group by
        measure, legal_entity_id, period_ends_on, part, document_id, currency, functional_currency, close_id,
        known_load_seq, shown_close_id
    having
        sum(case when is_before then -amount else amount end) <> 0
        or coalesce(sum(case when is_before then -functional_amount else functional_amount end), 0) <> 0
),

changes as (
    select * from still
    union all
    select * from taken_in
    union all
    select * from closed_again
),

last_closed as (
    select
        legal_entity_id,
        measure,
        max(period_ends_on) as last_on
    from signed
    where is_in_force and next_close_id is null
    group by legal_entity_id, measure
),

explained as (
    select
        changes.*,
        periods.period,
        case
            when changes.state = 'open' then first_open.period
            when changes.state = 'reopened' then periods.period
            else shown.period
        end as shown_in_period,
        coalesce(documents.changed_by, documents.system) as changed_by,
        documents.changed_at,
        documents.known_at,
        case
            when not changes.is_closed or not changes.is_now then 'document'
            when changes.as_closed_amount <> changes.as_now_amount then 'amount'
            else 'functional_amount'
        end as field,
        case
            when changes.document_id is null then 'something changed before the first closed period'
            when coalesce(documents.load_seq <= changes.known_load_seq, true)
                then 'the same records give another figure: code, configuration or reference data changed'
            when documents.is_deleted then 'deleted in the source after the close'
            when not changes.is_now then 'taken out of the period by the source after the close'
            when not changes.is_closed then 'posted into the period after the close'
            else 'changed in the source after the close'
        end as cause
    from changes
    left join periods
        on changes.legal_entity_id = periods.legal_entity_id and changes.period_ends_on = periods.ends_on
    left join periods as shown
        on changes.legal_entity_id = shown.legal_entity_id and changes.shown_ends_on = shown.ends_on
    left join last_closed
        on changes.legal_entity_id = last_closed.legal_entity_id and changes.measure = last_closed.measure
    left join periods as first_open
        on
            last_closed.legal_entity_id = first_open.legal_entity_id
            and last_closed.last_on = first_open.previous_ends_on
    left join {{ ref('int_documents__stamped') }} as documents
        on
            changes.document_id = documents.document_id
            and case when changes.measure = 'ledger' then 'ledger' else 'subledger' end = documents.book
),

restatements as (
    select
        md5(concat_ws(
            '|', state, close_id, coalesce(shown_close_id, ''), measure, legal_entity_id, period_ends_on, part,
            coalesce(document_id, ''), currency, coalesce(functional_currency, '')
        )) as restatement_id,
        legal_entity_id,
        period,
        period_ends_on,
        measure,
        part,
        document_id,
        label as document_number,
        field,
        currency,
        {{ money('as_closed_amount') }} as as_closed_amount,
        {{ money('as_now_amount') }} as as_now_amount,
        {{ money('as_now_amount - as_closed_amount') }} as amount,
        functional_currency,
        case when functional_currency is not null then {{ money('functional_moved_amount') }} end
            as functional_amount,
        cause,
        changed_by,
        changed_at,
        known_at,
        close_id,
        state,
        shown_in_period
    from explained
)

select * from restatements
