-- Every pair of customer records that matching or a person speaks of, with the names that a person compares.
with pairs as (
    select * from {{ source('matching', 'customer_pairs') }}
),

matches as (
    select
        pairs.left_id,
        pairs.right_id,
        pairs.verdict,
        pairs.rule,
        pairs.score,
        pairs.reason,
        lefts.name as left_name,
        rights.name as right_name,
        lefts.customer_id as left_customer_id,
        rights.customer_id as right_customer_id,
        pairs.decision_id,
        decisions.decided_by,
        decisions.decided_at,
        decisions.reason as decision_reason,
        pairs.is_contradicted
    from pairs
    left join {{ ref('int_customers__identified') }} as lefts on pairs.left_id = lefts.source_customer_id
    left join {{ ref('int_customers__identified') }} as rights on pairs.right_id = rights.source_customer_id
    left join {{ ref('stg_decisions') }} as decisions on pairs.decision_id = decisions.decision_id
)

select * from matches
