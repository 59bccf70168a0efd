"""Refs: mutation that JAX can see.

`counters` holds the counters side by side, `compiled` finds the Ref in the compiled
program, `refusals` is what Refs refuse, `inside` uses one where no caller can tell,
and `cost` measures what they cost. Source: "Ref: mutable arrays" in the JAX documentation.
"""
