with lines as (
    {%- for leg in reconciliation_legs() %}
        select * from {{ ref(leg) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

judged as (
    select
        lines.*,
        coalesce(lines.severity, codes.severity) as judged_severity
    from lines
    left join {{ ref('exception_codes') }} as codes on lines.code = codes.code
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
        count(case when line_kind = 'finding' and judged_severity = 'blocking' then 1 end) as blocking_count,
        count(case when line_kind = 'finding' and judged_severity = 'timing' then 1 end) as timing_count,
        count(case when line_kind = 'suggestion' then 1 end) as suggestion_count,
        bool_or(line_kind = 'not_applicable') as is_not_applicable,
        max(case when line_kind = 'not_applicable' then sentence end) as note
    from judged
    group by reconciliation_id, leg, legal_entity_id, currency, period
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
        summed.blocking_count,
        summed.suggestion_count,
        case
            when summed.is_not_applicable then 'not_applicable'
            when summed.difference_amount <> summed.explained_amount or summed.blocking_count > 0 then 'red'
            when summed.timing_count > 0 and summed.timing_count = summed.finding_count then 'timing'
            else 'green'
        end as status,
        summed.note
    from summed
    left join {{ ref('reconciliation_policies') }} as policies
        on summed.reconciliation_id = policies.reconciliation_id and summed.leg = policies.leg
)

select * from results
