-- What each statement says of itself: its closing balance, its opening balance, and the movement between them.
-- Stated by MT940 outright; in CSV by the running balance of the first and the last line.
with totals as (select * from statement_total),

lines as (select * from statement_line),

from_mt940 as (
    select
        account_id,
        coalesce(statement_id, '') as statement_id,
        upper(currency) as currency,
        iso_date(opening_date) as opened_on,
        iso_date(coalesce(closing_date, statement_date)) as closed_on,
        opening_balance,
        closing_balance,
        cast(amount(closing_balance) - amount(opening_balance) as varchar) as movement,
        'statement_total' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from totals
),

numbered as (
    select
        *,
        try_cast(line_number as bigint) as n,
        coalesce(account_id, nullif(getvariable('default_account'), '')) as account,
        case
            when amount is not null then amount(amount)
            else amount(coalesce(credit, '0')) - abs(amount(coalesce(debit, '0')))
        end as moved,
        upper(coalesce(currency, nullif(getvariable('default_currency'), ''))) as money
    from lines
    where
        statement_id is not null and entry_id is null and amount(balance_after) is not null
        and try_cast(line_number as bigint) is not null
        -- A line whose date is none is refused among the bank's lines; it says nothing of the statement.
        and try_cast(iso_date(booking_date) as date) is not null
),

in_force as (
    select * from numbered
    qualify _load_seq = max(_load_seq) over (partition by account, statement_id, n)
),

ends as (
    select
        account,
        statement_id,
        money,
        min_by(iso_date(booking_date), (n, _load_seq, _row)) as opened_on,
        max_by(iso_date(booking_date), (n, _load_seq, _row)) as closed_on,
        min_by(amount(balance_after) - moved, (n, _load_seq, _row)) as opening,
        max_by(amount(balance_after), (n, _load_seq, _row)) as closing,
        max_by(_load_seq, (n, _load_seq, _row)) as load_seq,
        max_by(_row, (n, _load_seq, _row)) as row_number
    from in_force
    group by account, statement_id, money
),

from_csv as (
    select
        account as account_id,
        statement_id,
        money as currency,
        opened_on,
        closed_on,
        cast(opening as varchar) as opening_balance,
        cast(closing as varchar) as closing_balance,
        cast(closing - opening as varchar) as movement,
        'statement_line' as source_table,
        load_seq,
        row_number
    from ends
),

statements as (
    select * from from_mt940
    union all
    select * from from_csv
),

figures as (
    select
        *,
        'bank_balance' as subject,
        account_id as scope,
        closed_on as stated_on,
        closing_balance as stated
    from statements
    union all
    -- Not a balance at the end of its date: banks date it on the first day or on the day before.
    select
        *,
        'bank_opening_balance' as subject,
        account_id as scope,
        opened_on as stated_on,
        opening_balance as stated
    from statements
    union all
    -- To be compared with the lines of that statement: bank_account || '/' || statement_ref.
    select
        *,
        'bank_movement' as subject,
        account_id || '/' || statement_id as scope,
        closed_on as stated_on,
        movement as stated
    from statements
),

mapped as (
    select
        key('bank', concat_ws(':', subject, account_id, statement_id, opened_on, closed_on)) as control_total_id,
        subject,
        scope,
        stated_on,
        currency,
        stated as stated_amount,
        null as valid_from,
        false as is_deleted,
        source_table,
        load_seq,
        row_number
    from figures
    where stated is not null
)

select * from mapped
