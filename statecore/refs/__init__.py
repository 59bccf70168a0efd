"""Refs: mutation that JAX can see.

`counters` holds the counters side by side, and `programs` puts them on the stage;
`compiled` finds the Ref in the compiled program; `refusals` is what Refs refuse, with
its small programs in `refused`; `inside` uses a Ref where no caller can tell; `cost`
measures what Refs cost; `threads` calls one from many threads; `tries` holds the
experiments. Source: "Ref: mutable arrays" in the JAX documentation.
"""
