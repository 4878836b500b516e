-- Where each period of each entity stands, and who said so.
with listed as (
    select * from {{ ref('int_periods__listed') }}
),

decided as (
    select *
    from {{ ref('int_periods__decided') }}
    where verdict = 'in force'
),

-- What stands: decisions that no reopening has undone.
standing as (
    select
        legal_entity_id,
        period_ends_on,
        max_by(close_id, (decided_at, decision_id)) filter (where kind = 'close_prepare') as prepared_close_id,
        max_by(decided_by, (decided_at, decision_id)) filter (where kind = 'close_prepare') as prepared_by,
        max(decided_at) filter (where kind = 'close_prepare') as prepared_at,
        max_by(close_id, (decided_at, decision_id)) filter (where kind = 'close_signoff') as signed_close_id,
        max_by(decided_by, (decided_at, decision_id)) filter (where kind = 'close_signoff') as signed_by,
        max(decided_at) filter (where kind = 'close_signoff') as signed_at,
        max_by(publication, (decided_at, decision_id)) filter (where kind = 'close_signoff') as publication,
        max_by(evidence, (decided_at, decision_id)) filter (where kind = 'close_signoff') as evidence,
        bool_or(kind = 'close_signoff' and lock = 'all') as is_all_locked
    from decided
    where not is_undone and kind <> 'close_reopen'
    group by legal_entity_id, period_ends_on
),

reopened as (
    select
        legal_entity_id,
        period_ends_on,
        max_by(decided_by, (decided_at, decision_id)) as reopened_by,
        max(decided_at) as reopened_at,
        max_by(reason, (decided_at, decision_id)) as reopened_reason
    from decided
    where kind = 'close_reopen'
    group by legal_entity_id, period_ends_on
),

moved as (
    select
        legal_entity_id,
        period_ends_on,
        count(case when moved_amount <> 0 or functional_moved_amount <> 0 then 1 end) as open_count,
        count(
            case
                when
                    now_amount <> closed_amount or functional_now_amount <> functional_closed_amount
                    then 1
            end
        ) as moved_count
    from {{ ref('int_figures__compared') }}
    where is_in_force
    group by legal_entity_id, period_ends_on
),

stated as (
    select * from {{ ref('stg_accounting_periods') }}
),

periods as (
    select
        listed.legal_entity_id,
        listed.period,
        listed.quarter,
        listed.starts_on,
        listed.ends_on,
        case
            when standing.is_all_locked then 'locked'
            when standing.signed_close_id is not null then 'ar_locked'
            when standing.prepared_close_id is not null then 'proposed'
            when reopened.reopened_by is not null then 'reopened'
            else 'open'
        end as state,
        case
            when standing.signed_close_id is not null and moved.moved_count > 0 then 'void'
            when standing.signed_close_id is not null then 'signed'
            when standing.prepared_close_id is not null then 'prepared'
            else 'none'
        end as sign_off,
        coalesce(moved.moved_count, 0) as moved_count,
        coalesce(moved.open_count, 0) as unadjusted_count,
        coalesce(standing.signed_close_id, standing.prepared_close_id) as close_id,
        standing.prepared_by,
        standing.prepared_at,
        standing.signed_by,
        standing.signed_at,
        standing.publication,
        standing.evidence,
        reopened.reopened_by,
        reopened.reopened_at,
        reopened.reopened_reason,
        listed.is_whole,
        coalesce(stated.is_ar_locked, false) as is_ar_locked_in_erp,
        coalesce(stated.is_closed, false) as is_closed_in_erp
    from listed
    left join standing
        on listed.legal_entity_id = standing.legal_entity_id and listed.ends_on = standing.period_ends_on
    left join reopened
        on listed.legal_entity_id = reopened.legal_entity_id and listed.ends_on = reopened.period_ends_on
    left join moved
        on listed.legal_entity_id = moved.legal_entity_id and listed.ends_on = moved.period_ends_on
    left join stated on listed.accounting_period_id = stated.accounting_period_id
)

select * from periods
