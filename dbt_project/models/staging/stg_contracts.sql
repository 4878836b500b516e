-- Contracts in force at the cut, without what the source deleted.
{{ in_force('contracts') }}
