"""What `jit`, `vmap` and `grad` assume of a function, and what happens when it is not so.

`entries` is the catalogue, `programs` makes its entries callable, and `tries` pokes at them.
"""
