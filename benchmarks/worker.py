"""One implementation of one workload in one dtype, in a process of its own; started by compare.py.

In: a line of JSON for each request on standard input. Out: a line of JSON for each answer.
"""

from __future__ import annotations

import gc
import importlib.util
import inspect
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import WORKLOADS, leaves


def generated(path: str, workload: str, arrays: dict[str, Any]) -> Callable[[], Any]:
    """A generated module, with a workspace if it has one."""
    spec = importlib.util.spec_from_file_location("generated", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    more = {}
    if "workspace" in inspect.signature(module.forward).parameters and \
            not os.environ.get("NO_WORKSPACE"):
        more["workspace"] = module.Workspace()

    def run() -> Any:
        loss, saved = module.forward(**arrays, **more)
        return loss, dict(leaves(module.backward(saved)))

    return run


def built(kind: str, workload: str, arrays: dict[str, Any]) -> Callable[[], Any]:
    """The function of an implementation that is timed."""
    if kind.endswith(".py"):
        return generated(kind, workload, arrays)
    if kind == "hand":
        import hand

        return hand.build(workload, arrays)
    import peers

    return peers.build(kind, workload, arrays)


def timed(run: Callable[[], Any], seconds: float) -> dict[str, float]:
    """The median of single calls, after two that warm up, and what they cost the system.

    Seconds of the process, those of the system for its pages too: the clock would count what
    other processes take of the core, and more of it the longer a call is.
    """
    run()
    gc.collect()
    gc.disable()
    start = time.process_time()
    run()
    several = max(1, int(2e-4 / max(time.process_time() - start, 1e-7)))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    taken: list[float] = []
    end = time.process_time() + seconds
    while len(taken) < 3 or time.process_time() < end:
        start = time.process_time()
        for _ in range(several):
            run()
        taken.append((time.process_time() - start) / several)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    gc.enable()
    return {"median": float(np.median(taken)), "least": min(taken),
            "faults": faults / (len(taken) * several)}


def main() -> None:
    """Answers: first whether it can run at all, then every round."""
    kind, workload, dtype, core, found_at = sys.argv[1:6]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.filterwarnings("ignore")
    os.sched_setaffinity(0, {int(core)})

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    try:
        run = built(kind, workload, WORKLOADS[workload].arrays(dtype))
        loss, gradients = run()
        run()  # what is kept from call to call must not show
        loss, gradients = run()
        np.savez(found_at, loss=np.asarray(loss),
                 **{n: np.asarray(g) for n, g in gradients.items()})
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"[:200]})
        return
    say({"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss})
    for line in sys.stdin:
        say(timed(run, float(line)))


if __name__ == "__main__":
    main()
