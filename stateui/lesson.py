"""The frame of a lesson: title, claim, sidebar, map, and the way on."""

from uuid import uuid4

import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v2 import component

from stateui import course, theme, warmup


def begin(name: str) -> None:
    """Open a lesson: its words come first, before anything heavy is imported."""
    this = course.lesson(name)
    st.set_page_config(
        page_title=this.title if name == "home" else f"{this.title} · State in JAX",
        page_icon=str(theme.ICON),
        layout="wide",
        initial_sidebar_state=280,
    )
    _sidebar()
    with st.container(key="visit"):
        theme.apply(st.session_state.get("presenting", False))
        _visit(key="visit_watch", data={"visit": st.session_state.setdefault("visit_id", uuid4().hex)})
    st.title(this.title, anchor=False)
    st.markdown(f'<p class="claim">{this.claim}</p>', unsafe_allow_html=True)
    warmup.start()


def heading(text: str, anchor: str) -> None:
    """A section of the lesson, with an anchor that a link can lead to."""
    st.header(text, anchor=anchor, divider=False)


def chart(figure: go.Figure, key: str, told: str) -> None:
    """A picture that changes at rest, with what it shows now in words."""
    st.plotly_chart(figure, key=key, alt=told, config={"displayModeBar": False})


def numbers(values: dict[str, int]) -> None:
    """A few numbers side by side."""
    for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
        column.metric(label, f"{value:,}", border=True)


def end(name: str) -> None:
    """Close a lesson with the way back and the way on."""
    before, after = course.neighbours(name)
    with st.container(key="way"):
        left, middle, right = st.columns([3, 2, 3])
        if name != "home":
            middle.page_link("app.py", label="Map of the course", icon=":material/map:")
        if before and before.name != "home":
            left.page_link(before.page, label=f"Previous: {before.title}", icon=":material/arrow_back:")
        if after:
            right.page_link(after.page, label=f"Next: {after.title}", icon=":material/arrow_forward:")


def course_map() -> None:
    """The lessons as cards."""
    lessons = [lesson for lesson in course.LESSONS if lesson.name != "home"]
    with st.container(key="map"):
        for row in range(0, len(lessons), 3):
            for column, lesson in zip(st.columns(3), lessons[row : row + 3], strict=False):
                with column, st.container(border=True, height="stretch", gap="xsmall"):
                    st.page_link(lesson.page, label=f"**{lesson.title}**", icon=lesson.icon)
                    st.markdown(lesson.claim)
                    st.caption(f"State: {lesson.state}")


def _sidebar() -> None:
    with st.sidebar:
        st.markdown("**State in JAX**")
        for lesson in course.LESSONS:
            label = "Start" if lesson.name == "home" else lesson.title
            st.page_link(lesson.page, label=label, icon=lesson.icon)
        st.toggle("Present to a class", key="presenting", persist_state="session", help="Larger code and text")


_visit = component(
    "visit",
    html='<div role="alert" hidden></div>',
    css="""
[role=alert] { padding: .75rem 1rem; border: 1px solid #E69F00; border-left-width: 6px; border-radius: 8px;
  font-family: var(--st-font); color: var(--st-text-color); background: var(--st-background-color); }
""",
    js="""
// Streamlit keeps showing the old page after a restart of the server: ask for a new run when
// the connection is back, and say so when the answer comes from another visit.
export default function ({ data, parentElement, setTriggerValue }) {
  const notice = parentElement.querySelector("[role=alert]");
  const known = window.stateLessonVisit;
  if (known && known !== data.visit) {
    notice.textContent = "The server has started anew, so this visit’s calls are gone. "
      + "The page now shows what its address says.";
    notice.hidden = false;
  }
  window.stateLessonVisit = data.visit;
  const app = document.querySelector("[data-testid=stApp]");
  if (!app) return;
  let connected = true;
  const watch = new MutationObserver(() => {
    const now = app.getAttribute("data-test-connection-state") === "CONNECTED";
    if (now && !connected) setTriggerValue("returned", Date.now());
    connected = now;
  });
  watch.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  return () => watch.disconnect();
}
""",
)
