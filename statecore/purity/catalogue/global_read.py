"""A global variable that is read."""

# broken
factor = 2


def broken(x):
    return x * factor


def call_broken(f, k):
    global factor
    factor = k + 1
    return f(10)


# fixed
def fixed(x, factor):
    return x * factor


def call_fixed(f, k):
    return f(10, k + 1)
