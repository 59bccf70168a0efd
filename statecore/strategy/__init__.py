"""The lesson on the general strategy: state in, state out.

`pairs` holds classes beside the functions they become, `links` finds which lines
match, `runs` sends them through jit, scan, vmap and grad, `refusals` is what
`functionalize` refuses, and `counters` is the same counter in five forms.
"""
