with lines as (
    {%- for leg in reconciliation_legs() %}
        select * from {{ ref(leg) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

summed as (
    select
        reconciliation_id,
        leg,
        legal_entity_id,
        currency,
        period,
        max(happened_on) as latest_on,
        sum(left_amount) as left_amount,
        sum(right_amount) as right_amount,
        sum(difference_amount) as difference_amount,
        sum(explained_amount) as explained_amount,
        sum(case when difference_amount > 0 then difference_amount else 0 end) as positive_amount,
        sum(case when difference_amount < 0 then difference_amount else 0 end) as negative_amount,
        count(case when line_kind = 'pair' and left_id is not null then 1 end) as left_count,
        count(case when line_kind = 'pair' and right_id is not null then 1 end) as right_count,
        count(case when line_kind = 'pair' and left_id is not null and right_id is not null then 1 end)
            as matched_count,
        count(case when line_kind = 'finding' then 1 end) as finding_count,
        count(case when line_kind = 'suggestion' then 1 end) as suggestion_count,
        bool_or(line_kind = 'not_applicable') as is_not_applicable,
        max(case when line_kind = 'not_applicable' then sentence end) as note
    from lines
    group by reconciliation_id, leg, legal_entity_id, currency, period
),

-- What people decided counts: a finding that is waived no longer blocks.
queue as (
    select
        origin as reconciliation_id,
        leg,
        legal_entity_id,
        currency,
        period,
        count(case when is_blocking then 1 end) as blocking_count,
        count(case when severity = 'timing' then 1 end) as timing_count,
        count(case when state = 'waived' then 1 end) as waived_count
    from {{ ref('exceptions') }}
    group by origin, leg, legal_entity_id, currency, period
),

policy as (
    select version from {{ source('reference', 'policy') }}
),

results as (
    select
        md5(concat_ws(
            '|', summed.reconciliation_id, summed.leg, summed.legal_entity_id, coalesce(summed.currency, ''),
            coalesce(summed.period, '')
        )) as reconciliation_result_id,
        summed.reconciliation_id,
        summed.leg,
        policies.left_name,
        policies.right_name,
        policies.measure,
        policies.tolerance,
        policies.owner,
        summed.legal_entity_id,
        summed.currency,
        summed.period,
        summed.latest_on,
        {%- for column in ['left', 'right', 'difference', 'explained'] %}
            {{ money('summed.' ~ column ~ '_amount') }} as {{ column }}_amount,
        {%- endfor %}
        {{ money('summed.difference_amount - summed.explained_amount') }} as unexplained_amount,
        {{ money('summed.positive_amount') }} as gross_positive_amount,
        {{ money('summed.negative_amount') }} as gross_negative_amount,
        summed.left_count,
        summed.right_count,
        summed.matched_count,
        summed.finding_count,
        coalesce(queue.blocking_count, 0) as blocking_count,
        coalesce(queue.waived_count, 0) as waived_count,
        summed.suggestion_count,
        case
            when summed.is_not_applicable then 'not_applicable'
            when summed.difference_amount <> summed.explained_amount or queue.blocking_count > 0 then 'red'
            when queue.timing_count > 0 and queue.timing_count = summed.finding_count then 'timing'
            else 'green'
        end as status,
        summed.note,
        policy.version as policy_version
    from summed
    cross join policy
    left join queue
        on
            summed.reconciliation_id = queue.reconciliation_id
            and summed.leg = queue.leg
            and summed.legal_entity_id is not distinct from queue.legal_entity_id
            and summed.currency is not distinct from queue.currency
            and summed.period is not distinct from queue.period
    left join {{ ref('reconciliation_policies') }} as policies
        on summed.reconciliation_id = policies.reconciliation_id and summed.leg = policies.leg
)

select * from results
