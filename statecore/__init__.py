"""State in JAX, made observable: what the lessons teach, usable without them.

Import the module that is the idea: `counter`, `purity`, `strategy`, `randomness`,
`regression`, `optimizer`, `batchnorm`, `transformations`, `refs`, `libraries`; or
what makes it visible: `observe`, `kept`, `lockstep`, `timeline`, `training`, `history`;
or what several lessons train: `line`.
Nothing here imports Streamlit or Plotly.
"""
