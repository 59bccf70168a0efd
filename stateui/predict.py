"""Predict before you look: one question, answered by the run itself."""

import streamlit as st


def predict(lesson: str, question: str, options: dict[str, str], answer: str | None, hint: str) -> None:
    """Ask what will happen; judge it when the machine has spoken.

    Args:
      lesson: the lesson's name; the guess is kept under it.
      question: what is asked.
      options: each possible answer, and what somebody who picks it believes.
      answer: what the machine gave, or None as long as it has not been run.
      hint: what to do to find out.
    """
    key = f"{lesson}_guess"
    with st.container(key="predict", border=True):
        if st.session_state.get(f"{key}_skipped"):
            st.markdown(f"*Prediction skipped.* {hint}")
            return
        st.markdown(f"**Predict first.** {question}")
        with st.container(horizontal=True, vertical_alignment="center"):
            guess = st.pills(
                "Your prediction",
                list(options),
                key=key,
                label_visibility="collapsed",
                disabled=answer is not None,
                persist_state="session",
            )
            if guess is None and answer is None:
                st.button("Skip", key=f"{key}_skip", type="tertiary", on_click=_skip, args=(key,))
        with st.container(key="reply"):  # its room is reserved: a verdict does not move the stage
            st.markdown(_reply(guess, options, answer, hint))


def _skip(key: str) -> None:
    st.session_state[f"{key}_skipped"] = True


def _reply(guess: str | None, options: dict[str, str], answer: str | None, hint: str) -> str:
    if guess is None:
        return hint if answer is None else f"The machine says **{answer}**."
    if answer is None:
        return f"You say **{guess}**. {hint}"
    if guess == answer:
        return f":material/check: You said {guess}, and the machine says **{answer}**. {options[answer]}"
    return f":material/close: You said {guess}, the machine says **{answer}**. {options[guess]}"
