-- R01, CRM and billing. Records of one golden customer are one customer; what each system states of it must agree. A
-- customer has no date here: master data is there or not, whenever it was made.
with
{{ customer_records('billing') }},

{{ reconcile(
    'R01', 'crm-billing', 'CRM account', 'billing customer',
    passes=[
        {'rule': 'named by the CRM', 'by': 'ids', 'first': true, 'when': 'l.stated_id = r.record_id'},
        {'rule': 'same golden customer', 'by': 'ids', 'first': true},
    ],
    checks=customer_checks(),
    left_only='CUS-MISSING', right_only='CUS-MISSING', left_duplicate='CUS-MULTI', right_duplicate='CUS-MULTI'
) }}

select * from reconciled
