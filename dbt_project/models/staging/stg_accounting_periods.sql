-- Accounting periods in force at the cut, without what the source deleted.
{{ in_force('accounting_periods') }}
