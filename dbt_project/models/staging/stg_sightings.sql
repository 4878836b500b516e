{#- When exceptions came and went. -#}
{{ in_force('sightings') }}
