"""What holds for every test: property tests draw the same examples each time, and no clock fails them."""

from hypothesis import settings

settings.register_profile("statecore", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("statecore")
