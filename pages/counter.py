"""A counter that forgets to count."""

import streamlit as st

from stateui import lesson

lesson.begin("counter")

from statecore import counter
from statecore.counter import tries
from stateui import figures
from stateui.experiment import Experiment, bench
from stateui.predict import predict
from stateui.stage import Panel, outcome, programs, stage

predict(
    "counter",
    "Three calls of a jitted counter that adds one to `self.n`. What comes out?",
    {
        "1, 2, 3": "That is what Python would do. But jit ran the method’s Python once, and kept a program, not the object.",
        "1, 1, 1": "The method’s Python ran once, while JAX traced it. The compiled program only knows the answer of that day.",
        "an error": "An error would be kinder. JAX cannot see that the method changed something outside, so it says nothing.",
    },
    answer=outcome("counter", "broken", calls=3),
    hint="Press **Step** three times to find out.",
)
panels = (
    Panel("plain", "Plain Python", counter.PROGRAMS["plain"]),
    Panel("broken", "jit, state hidden in self", counter.PROGRAMS["broken"]),
    Panel("fixed", "jit, state in, state out", counter.PROGRAMS["fixed"]),
)
lanes = stage("counter", panels)

lesson.heading("Value against call", "value")
lesson.chart(
    figures.value_by_call({key: figures.numbers(lane.tape) for key, lane in lanes.items()}),
    "counter_values",
    figures.told({panel.title: lanes[panel.key].tape for panel in panels}),
)

lesson.heading("What jit kept", "kept")
st.markdown(
    "To *trace* is to run the Python once with stand-ins for the arguments, *tracers*, and write down the operations. "
    "What is written down is the *jaxpr*, the program that is then compiled and run instead of your Python. In it, "
    "`a:i32[]` is a value named `a`: a 32-bit integer, of shape `()`."
)
programs(panels, lanes)

lesson.heading("Going back, and going on", "back")
st.markdown(
    "Every call is recorded as it happens, so **Back** shows a past call again and calls nothing. To go on from a past "
    "state is another matter. A state that was handed back is simply handed over once more. Hidden state cannot be "
    "handed over: new objects have to be built, and every call up to there made again."
)

lesson.heading("Try it", "try")
bench(
    "counter",
    (
        Experiment(
            "Drop the state",
            tries.dropped_state,
            "The method changes nothing now, but the caller throws the new state away. Three calls: what comes out?",
            "Nothing outside is changed, and still it does not count. The fix is half in the caller.",
        ),
        Experiment(
            "Reset, then call",
            tries.reset_then_call,
            "`counter.reset()` sets `self.n` back to 0. Does the jitted call notice?",
            "The program has no argument, so nothing that happens to the object can reach it.",
        ),
        Experiment(
            "jit it again",
            tries.second_jit,
            "A second `jax.jit` of the same method, after `self.n` was set to 41. Is it a fresh start?",
            "Another wrapper (what `jax.jit` returns), the same trace: JAX looks traces up by the method and its object, "
            "and finds the old one.",
        ),
        Experiment(
            "A new object",
            tries.new_instance,
            "Another counter, which starts at 7. Does it get the old program?",
            "Another object is another method to JAX, so it is traced for itself, once.",
        ),
        Experiment(
            "Wrapper thrown away",
            tries.wrapper_discarded,
            "jit anew for each call, and forget the wrapper each time. Does this count?",
            "It counts, because every call is traced again: no program is kept, and jit is of no use.",
        ),
        Experiment(
            "Wrapper kept",
            tries.wrapper_kept,
            "The same loop, but somebody still holds the old wrappers. Does that matter?",
            "As long as one wrapper lives, so does its trace, and the others share it. Code elsewhere decides your result.",
        ),
        Experiment(
            "A new shape",
            tries.new_shape,
            "The method takes `x` now. The calls have 2, 2, 3, 3 and again 2 numbers: which counts come out?",
            "Every new shape is traced once, and each trace bakes in the count of its own moment: keeps it as a constant.",
        ),
        Experiment(
            "Go on from the past",
            tries.go_on_from_the_past,
            "Three calls are made, and every state is kept. Then the state after call 1 is handed over once more. What comes out?",
            "A state is a value like any other. The function goes on from whichever state it is given.",
        ),
        Experiment(
            "Only looking",
            tries.looking_is_tracing,
            "`jax.make_jaxpr` only looks at the program. `self.n` is read after each of three looks: what does it hold?",
            "The first look traces: it runs the Python, and the object changes. The later looks find that trace and run nothing.",
        ),
        Experiment(
            "Looking after a call",
            tries.looking_after_a_call,
            "A jitted call is made first, and then somebody looks at the program. What is `self.n` now?",
            "`make_jaxpr` shares the traces that `jit` keeps. It found the trace of the call, so it ran no Python.",
        ),
    ),
)
lesson.end("counter")
