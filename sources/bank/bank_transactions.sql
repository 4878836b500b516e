-- One row per statement line, signed: positive is money in.
with lines as (select * from statement_line),

entities as (
    select
        trim(split_part(pair, '=', 1)) as account,
        trim(split_part(pair, '=', 2)) as entity
    from (select unnest(string_split(coalesce(getvariable('account_entities'), ''), ',')) as pair) as pairs
    where pair like '%=%'
),

named as (
    select
        * exclude (account_id, currency),
        coalesce(account_id, nullif(getvariable('default_account'), '')) as account_id,
        upper(coalesce(currency, nullif(getvariable('default_currency'), ''))) as currency,
        -- A bank that writes debit and credit apart writes one of them, or a zero in the other; some sign the debit.
        -- Text that is no number goes to the gate as it came: the zero beside it must not stand for it.
        case
            when amount is not null then amount
            when credit is not null and amount(credit) is null then credit
            when debit is not null and amount(debit) is null then debit
            when coalesce(credit, debit) is not null
                then cast(amount(coalesce(credit, '0')) - abs(amount(coalesce(debit, '0'))) as varchar)
        end as amount_text
    from lines
    where booking_date is not null or amount is not null or credit is not null or debit is not null
),

-- A numbered line that comes again with other words is the same line corrected: the newest delivery is in force.
-- MT940 numbers start again every year, and at some banks never leave zero: its lines are told by their content.
identified as (
    select
        *,
        case
            when statement_id is not null and line_number is not null and entry_id is null
                then concat_ws(':', account_id, statement_id, line_number)
        end as numbered
    from named
),

newest as (
    select
        *,
        numbered is null or _load_seq = max(_load_seq) over (partition by numbered) as is_in_force
    from identified
),

mapped as (
    select
        key('bank', coalesce(l.numbered, l._key)) as bank_transaction_id,
        l.account_id as bank_account,
        coalesce(key('erp', e.entity), default_legal_entity()) as legal_entity_id,
        l.statement_id as statement_ref,
        cast(try_cast(l.line_number as bigint) as varchar) as line_number,
        iso_date(l.booking_date) as booked_on,
        iso_date(l.value_date) as value_on,
        l.currency,
        l.amount_text as amount,
        l.bank_reference as bank_ref,
        coalesce(l.end_to_end_reference, nullif(l.customer_reference, 'NONREF')) as end_to_end_ref,
        l.description,
        l.counterparty,
        l.balance_after as balance_amount,
        null as valid_from,
        false as is_deleted,
        'statement_line' as source_table,
        l._load_seq as load_seq,
        l._row as row_number
    from newest as l
    left join entities as e on l.account_id = e.account
    where l.is_in_force
)

select * from mapped
