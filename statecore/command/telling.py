"""Plain values and programs in the words of the command."""

from collections.abc import Iterator

from statecore.kept import Kept
from statecore.recording.values import Array, Complex, Float, Key, Plain, Raised, Ref, Thing, Tracer, Tree


def value(plain: Plain) -> str:
    """A plain value in a few characters."""
    match plain:
        case Float():
            return f"{plain.value:.4g}" if isinstance(plain.value, float) else plain.value
        case Complex():
            return f"{plain.real}+{plain.imag}j"
        case Array():
            return _array(plain)
        case Key():
            return "key " + " ".join(map(str, plain.data))
        case Tracer():
            return f"a tracer {plain.type}"
        case Ref():
            return f"Ref({value(plain.value)})"
        case Tree():
            return f"{plain.type}({', '.join(f'{name}={value(part)}' for name, part in plain.parts)})"
        case Raised():
            return plain.type
        case Thing():
            return plain.text
    return repr(plain)


def _array(array: Array) -> str:
    if array.type.endswith("[]") and len(array.data) == 1:
        return _number(array.data[0])
    if array.digest or array.type.count(",") or len(array.data) > 6:
        first = ", ".join(map(_number, array.data[:3]))
        return f"{array.type} {first}, ..." if first else array.type
    return f"[{', '.join(map(_number, array.data))}]"


def _number(number: object) -> str:
    return f"{number:.4g}" if isinstance(number, float) else str(number)


def baked(kept: Kept) -> Iterator[str]:
    """One sentence for each constant that certainly, or perhaps, was a variable while jit traced."""
    for constant in kept.constants:
        origin, now = constant.origin, value(constant.value)
        if origin is None:
            if constant.candidates:
                yield f"The program keeps {now}, which may be {' or '.join(constant.candidates)} while tracing."
        elif origin.written:
            first = "" if origin.first is None else f" was {value(origin.first)} while tracing and"
            yield f"{origin.name}{first} was set to {now}. The program keeps {now}."
        else:
            yield f"{origin.name} was read once, while tracing. The program keeps {now} in its place."
