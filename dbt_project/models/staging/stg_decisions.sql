{#- Decisions that people took. -#}
{{ in_force('decisions') }}
