"""State in, state out."""

import streamlit as st

from stateui import lesson

lesson.begin("strategy")

from stateui.parts import strategy
from stateui.predict import predict
from stateui.stage import programs, stage

pair = strategy.arrive()
predict(
    "strategy",
    "One function, `functionalize`, is given a method that changes its object. jit gets what comes out of it. "
    "Not a line of the class is touched: what do three calls give?",
    {
        "what plain Python gives": "The method ran on a stand-in that held the state of that call, so what it wrote could be read off and handed back.",
        "the first output, again and again": "That is what jit does to the method itself, where the state is read once, while tracing.",
        "an error": "There are classes it refuses, further down. It takes this one as it is.",
    },
    answer=strategy.verdict(),
    hint="Press **Step** three times to find out.",
)
strategy.choices()
panels = strategy.panels(pair)
lanes = stage("strategy", panels, compact=strategy.long(pair), settings=strategy.SETTINGS)

lesson.heading("The same class, as functions", "functions")
st.markdown(
    "The *general strategy*: give what is remembered a name, write a function that makes the first state, and a step "
    "that takes the state and hands back its output and the new state. Lines with the same number do the same."
)
strategy.side_by_side(pair)

lesson.heading("The function that does it for you", "functionalize")
code, words = st.columns([3, 2])
with code:
    strategy.the_function(lanes["fixed"])
with words:
    st.markdown(
        "1. The object’s arrays and numbers are the **state**; everything else is copied, as settings: once now, and once more each time the Python runs.\n"
        "2. At each call the method runs on a **stand-in**: an object of the same class that holds the state it was "
        "given, and that nobody else can see.\n"
        "3. What the method left on the stand-in is the **new state**, handed back beside the output."
    )
    st.markdown(
        "The state is a *pytree*: a container that JAX can look into, down to its arrays and numbers. `functionalize` "
        "is this code with checks around it, and they are needed, as you will see."
    )

lesson.heading("What jit kept", "kept")
programs(panels, lanes)

lesson.heading("Equal to plain Python, everywhere", "equal")
st.markdown(
    "A pure step goes through every transformation: `scan` makes a loop of it inside the program, `vmap` runs many "
    "states at once, `grad` differentiates a whole run. Each is compared with the untouched method in a Python loop. "
    "`scan` wants the state first and the output second, so its body swaps them."
)
strategy.transformed(pair)

lesson.heading("What it refuses", "refused")
st.markdown(
    "State can hide where no pytree reaches. Without checks most of these classes would give wrong answers, and "
    "nothing would say so; with them there is an error that names the attribute and says what to do."
)
strategy.refused()

lesson.heading("Try it: should CounterV2 stay a class?", "try")
st.markdown(
    "`CounterV2` holds nothing any more: its state comes in and goes out. Is a class still the right form for it? Lay "
    "another form beside it, run them all, and weigh what speaks for each."
)
strategy.forms()
lesson.end("strategy")
