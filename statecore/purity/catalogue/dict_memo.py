"""A memo without a key: here the jitted function is the purer one."""

# broken
memo: dict = {}


def broken(x):
    if "tenfold" not in memo:
        memo["tenfold"] = 10 * x
    return memo["tenfold"] + x


def call_broken(f, k):
    return f(k)


def after_broken():
    return memo["tenfold"] + 0


# fixed
def fixed(x):
    tenfold = 10 * x
    return tenfold + x


def call_fixed(f, k):
    return f(k)
