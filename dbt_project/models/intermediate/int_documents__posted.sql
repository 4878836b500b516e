-- Invoices and what corrects them, of the believed role: posted ones, and voided ones whose day of voiding is known
-- (they stand from issue to that day). Drafts, and voids without a day, never counted.
with sole_entity as ({{ sole_entity() }}
),

documents as (
    select
        invoices.invoice_id,
        invoices.kind,
        case when invoices.kind in ('invoice', 'debit_memo') then 1 else -1 end as direction,
        invoices.status,
        invoices.document_number,
        invoices.customer_id,
        invoices.legal_entity_id,
        invoices.contract_id,
        invoices.opportunity_ref,
        invoices.original_invoice_id,
        invoices.accounting_period_id,
        invoices.issued_on,
        invoices.due_on,
        case when invoices.status = 'void' then greatest(invoices.voided_on, invoices.issued_on) end as voided_on,
        invoices.currency,
        invoices.gross_amount,
        invoices.discount_amount,
        invoices.net_amount,
        invoices.tax_amount,
        invoices.total_amount,
        invoices.open_amount,
        invoices.exchange_rate,
        invoices.system
    from {{ ref('stg_invoices') }} as invoices
    inner join {{ ref('int_authority__chosen') }} as authority
        on authority.subject = 'invoices' and {{ role_of('invoices.invoice_id') }} = authority.role
    where invoices.status = 'posted' or (invoices.status = 'void' and invoices.voided_on is not null)
),

posted as (
    {{ placed_and_rated('documents', 'documents.issued_on') }}
)

select * from posted
