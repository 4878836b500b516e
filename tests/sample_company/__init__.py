"""The sample company: the maker of sources/*/sample and the totals that must come out of them."""
