"""The catalogue: every module is one impurity, with its fix and the calls to make.

After the imports, the comments `# broken` and `# fixed` start the two sides. Each
side defines the names below, with `side` for its own.

  side            the function to be transformed: `broken`, `fixed`, and where
                  there is a second fix, `fixed_cond` and the like.
  call_side       `call_side(f, k)` makes call k = 1, 2, ... on `f`, which is the
                  function, transformed or not, and returns its value. A side
                  that has a `start` threads its state:
                  `call_side(f, k, state) -> (value, state)`.
  start           the first state of `fixed`.
  call_side_vmap, start_vmap
                  the same for a batch.
  after_side      looks at what is left behind when the calls have been made.

Any other comment at the left margin starts an aside: code that is shown and never
called. The modules are loaded by `statecore.purity.entries`, every time into a
namespace of its own in which `print` writes to the reader's own log.
"""
