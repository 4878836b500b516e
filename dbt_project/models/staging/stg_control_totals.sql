-- Control totals in force at the cut, without what the source deleted.
{{ in_force('control_totals') }}
