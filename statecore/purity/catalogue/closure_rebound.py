"""A captured variable that gets another value later."""


# broken
def make():
    rate = 1.0

    def decay(x):
        return x * rate

    def set_rate(value):
        nonlocal rate
        rate = value

    return decay, set_rate


broken, set_rate = make()


def call_broken(f, k):
    set_rate(1.0 / k)
    return f(12.0)


# fixed
def fixed(x, rate):
    return x * rate


def call_fixed(f, k):
    return f(12.0, 1.0 / k)
