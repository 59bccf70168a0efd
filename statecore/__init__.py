"""State in JAX, made observable: what the lessons teach, usable without them.

Import the module that is the idea: `counter`, `regression`, `observe`, `kept`,
`lockstep`, `timeline`. Nothing here imports Streamlit or Plotly.
"""
