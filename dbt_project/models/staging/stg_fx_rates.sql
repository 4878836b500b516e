-- Fx rates in force at the cut, without what the source deleted.
{{ in_force('fx_rates') }}
