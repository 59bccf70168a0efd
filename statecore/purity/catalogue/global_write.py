"""A global variable that is written: the output is right, the count is not."""

# broken
count = 0


def broken(x):
    global count
    count += 1
    return x * x


def call_broken(f, k):
    return f(float(k))


def after_broken():
    return count


# fixed
def fixed(count, x):
    return x * x, count + 1


start = 0


def call_fixed(f, k, count):
    value, count = f(count, float(k))
    return value, count


def after_fixed(count):
    return count
