"""Keys: random state you can hold.

`programs` holds hidden and reused randomness beside its fixes, `keytree` reads
which keys a function makes and uses, `draws` compares reused with fresh keys, and
`documentation` is the JAX documentation's regression, which reuses its key.
"""
