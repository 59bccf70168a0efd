"""What `jit`, `vmap` and `grad` assume of a function, and what happens when it is not so.

`entries` is the catalogue, and `playing` makes its calls.
"""
