-- Invoice lines in force at the cut, without what the source deleted.
{{ in_force('invoice_lines') }}
