-- Orders in force at the cut, without what the source deleted.
{{ in_force('orders') }}
