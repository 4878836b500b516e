-- Processor transactions in force at the cut, without what the source deleted.
{{ in_force('processor_transactions') }}
