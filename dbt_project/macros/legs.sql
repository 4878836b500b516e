{#- Every leg of every reconciliation: a new one is one model, one line here and one line in its policy. -#}
{% macro reconciliation_legs() -%}
{{ return([
    'rec_billing_invoices__erp_invoices',
    'rec_processor_charges__billing_payments',
    'rec_billing_payments__erp_payments',
    'rec_billing_applications__erp_applications',
    'rec_processor_activity__payouts',
    'rec_cash_movements__bank_lines',
    'rec_receivables__ledger',
    'rec_debits__credits',
    'rec_rows_read__rows_kept',
    'rec_rows_stated__rows_landed',
    'rec_balances_stated__movements',
    'rec_crm_accounts__billing_customers',
    'rec_crm_accounts__erp_customers',
    'rec_parents__tops',
    'rec_billed_items__products',
    'rec_contracted_quantities__subscriptions',
    'rec_won_opportunities__orders',
    'rec_won_opportunities__first_invoices',
    'rec_billing_credits__erp_credits',
    'rec_service_lines__service_dates',
    'rec_intercompany_claims__debts',
    'rec_days__rates',
    'rec_stated_rates__reference_rates',
]) }}
{%- endmacro %}
