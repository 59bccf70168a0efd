"""An iterator asked for its next item."""

# broken
batches = iter([10, 20, 30, 40, 50])


def broken(x):
    return x + next(batches)


def call_broken(f, k):
    return f(0)


# fixed
def fixed(x, batch):
    return x + batch


data = iter([10, 20, 30, 40, 50])


def call_fixed(f, k):
    return f(0, next(data))
