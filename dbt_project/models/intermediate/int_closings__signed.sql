{{ config(materialized='view') }}
-- Stored figures with the signature that they belong to; figures of a proposal that nobody signed are left out.
with closings as (
    select * from {{ ref('stg_closings') }}
),

signed as (
    select * from {{ ref('int_closes__signed') }}
),

stored as (
    select
        closings.*,
        signed.signed_by,
        signed.signed_at,
        signed.known_load_seq,
        signed.next_close_id,
        signed.is_in_force
    from closings
    inner join signed
        on
            closings.close_id = signed.close_id
            and closings.legal_entity_id = signed.legal_entity_id
            and closings.period_ends_on = signed.period_ends_on
            and closings.measure = signed.measure
)

select * from stored
