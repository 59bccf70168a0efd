"""Keys: random state you can hold.

`programs` holds hidden and reused randomness beside its fixes, `keytree` reads which
keys a function makes and uses (`trees` are the functions on show, `following` does
the reading), `draws` compares reused with fresh keys, `documentation` is the JAX
documentation's regression, which reuses its key, and `tries` are the experiments.
"""
