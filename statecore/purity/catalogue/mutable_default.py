"""A default argument that is made once and lives on."""


# broken
def broken(x, seen=[]):
    seen.append(1)
    return x * len(seen)


def call_broken(f, k):
    return f(1)


# fixed
def fixed(seen, x):
    seen = seen + 1
    return x * seen, seen


start = 0


def call_fixed(f, k, seen):
    value, seen = f(seen, 1)
    return value, seen
