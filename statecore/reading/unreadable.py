"""The error of everything that reads JAX."""


class Unreadable(RuntimeError):
    """JAX printed or gave something that is not known here. What cannot be read must not be told as something else."""
