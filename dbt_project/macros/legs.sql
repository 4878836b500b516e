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
    'rec_balances_stated__movements',
]) }}
{%- endmacro %}
