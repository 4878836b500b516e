{#- Figures of periods as they were locked. -#}
{{ in_force('closings') }}
