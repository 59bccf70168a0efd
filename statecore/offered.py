"""A setting that must be one of the values on offer."""


def check(name: str, value: int, offered: tuple[int, ...]) -> None:
    """Raise ValueError, naming the setting, when `value` is not one of those `offered`."""
    if value not in offered:
        raise ValueError(f"{name} must be one of {offered}, got {value}")
