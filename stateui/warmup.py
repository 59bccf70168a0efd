"""Heavy imports and first compilations, once per process, in the background."""

import gc
import threading

_once = threading.Lock()


def start() -> None:
    """Warm up in the background; every call but the first of the process returns at once.

    Not a daemon: a process that ends while XLA compiles would abort.
    """
    if _once.acquire(blocking=False):
        threading.Thread(target=_warm_up, name="warm-up").start()


def _warm_up() -> None:
    from statecore import counter, lockstep, regression
    from stateui import figures

    for program in counter.PROGRAMS.values():
        lockstep.step(lockstep.start(program))
    data_key, params_key = regression.separate_keys(42)
    regression.run(regression.init(params_key), regression.make_data(data_key), regression.LEARNING_RATE, 1)
    figures.value_by_call({}).to_json()
    gc.collect()
    gc.freeze()
