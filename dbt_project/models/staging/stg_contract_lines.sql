-- Lines of contracts in force at the cut, without what the source deleted.
{{ in_force('contract_lines') }}
