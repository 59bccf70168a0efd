"""Home: the claim, the counter in miniature, the map of the course."""

import streamlit as st

from stateui import lesson

lesson.begin("home")

from statecore import counter
from stateui.stage import Panel, stage

panels = (
    Panel("broken", "jit, state hidden in self", counter.PROGRAMS["broken"]),
    Panel("fixed", "jit, state in, state out", counter.PROGRAMS["fixed"]),
)
st.markdown(
    "Both are jitted, both should count. What a counter remembers from one call to the next is its *state*. "
    "Press **Step** twice."
)
stage("home", panels, compact=True)

lesson.heading("The course", "course")
lesson.course_map()
lesson.end("home")
