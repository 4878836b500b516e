-- Journal events in force at the cut, without what the source deleted.
{{ in_force('journal_events') }}
