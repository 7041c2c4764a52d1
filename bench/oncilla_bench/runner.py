"""One case: prepare, compare, time in turns until the ratios are known well enough, measure memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from oncilla_bench import machine
from oncilla_bench.cases import Case
from oncilla_bench.contestants import BASELINE, Contestant, DeclinedError, Prepared
from oncilla_bench.noise import Watch
from oncilla_bench.results import CaseResult, Result
from oncilla_bench.statistics import drift, estimate, paired_ratios

TRACED = 20  # calls at most whose kernels are timed: shares need no interval
LEAST_ROUNDS = 6  # fewer have no interval at 95 %
# Rounds after which it is asked whether the intervals are narrow enough, each half as many again as the last: who asks after each round stops by luck too often.
LOOKS = (10, 15, 22, 33, 50, 75, 112, 168, 252, 378)
# Seconds before each turn. PyTorch's OpenMP threads spin for 4 to 6 ms after an op (libgomp's default), on cores that the next contestant needs: they go to sleep
# first. Then calls that are not timed.
REST, WARM = 0.008, 0.003


@dataclass(frozen=True)
class Limits:
    """How long a case is measured.

    Attributes
    ----------
    precision
        Enough is known when half the 95 % interval of every ratio is below this, relative.
    seconds
        Most time of the timed rounds of a case; six rounds are made in any case.
    turn
        Least time of a turn, in seconds: short calls are repeated.
    rounds
        Most rounds; 0: compare results, time nothing.
    """

    precision: float = 0.02
    seconds: float = 10.0
    turn: float = 0.01
    rounds: int = 400


@dataclass
class Entrant:
    """A contestant in this case."""

    prepared: Prepared
    result: Result
    count: int = 1
    times: list[float] = field(default_factory=list)

    def seconds(self, count: int) -> float:
        """Time `count` calls together; return one's."""
        begin = time.perf_counter()
        for _ in range(count):
            self.prepared.call()
        self.prepared.finish()
        return (time.perf_counter() - begin) / count

    def settle(self) -> None:
        """Wait until the other's threads sleep, then call for a moment, so that caches are this contestant's and its own threads are awake."""
        time.sleep(REST)
        if self.count == 1:
            return  # one call is long enough to warm itself
        end = time.perf_counter() + WARM
        while time.perf_counter() < end:
            self.seconds(max(1, self.count // 8))

    def turn(self) -> None:
        """One timed turn."""
        self.settle()
        self.times.append(self.seconds(self.count))


def far(got: Sequence[torch.Tensor], want: Sequence[torch.Tensor]) -> float:
    """Return the largest difference by the largest value, over all tensors; infinite where shapes, NaN or infinities differ."""
    if len(got) != len(want):
        return float("inf")
    worst = 0.0
    for g, w in zip(got, want, strict=True):
        if g.shape != w.shape:
            return float("inf")
        g, w = g.double(), w.double()
        if not torch.equal(g.isfinite(), w.isfinite()):
            return float("inf")
        finite = w.isfinite()
        difference = (g - w)[finite].abs()
        if difference.numel():
            worst = max(worst, (difference.max() / w[finite].abs().max().clamp(min=1e-30)).item())
    return worst


def first_calls(prepared: Prepared, checks: int) -> tuple[float, list[torch.Tensor]]:
    """Call once for the first-call time, then on; return that time and the results of all, on the CPU."""
    begin = time.perf_counter()
    result = prepared.call()
    prepared.finish()
    first = time.perf_counter() - begin
    found = list(prepared.fetch(result))
    for _ in range(checks - 1):
        found += prepared.fetch(prepared.call())
    return first, found


def peak(entrant: Entrant) -> None:
    """Measure the memory of one call."""
    gc.collect()
    before = machine.resident_bytes()
    counted = machine.start_peak()
    entrant.prepared.start_peak()
    entrant.prepared.call()
    entrant.prepared.finish()
    own = entrant.prepared.peak_bytes()
    if own is not None:
        entrant.result.peak_bytes, entrant.result.peak_of = own, "allocator"
    elif counted:
        entrant.result.peak_bytes, entrant.result.peak_of = max(0, machine.peak_bytes() - before), "process"


def enter(case: Case, contestants: Mapping[str, Contestant], outcome: CaseResult) -> dict[str, Entrant]:
    """Prepare everybody and compare results with the baseline's; who is wrong or fails is reported and does not race."""
    workload = case.kind.build(case.values)
    outcome.flops, outcome.bytes, outcome.tolerance = workload.flops, workload.bytes, workload.tolerance
    entrants: dict[str, Entrant] = {}
    want: list[torch.Tensor] | None = None
    for name in sorted(contestants, key=lambda n: n != BASELINE):
        result = outcome.results[name] = Result("ok")
        prepared = None
        try:
            prepared = contestants[name].prepare(case, workload)
            result.first_seconds, got = first_calls(prepared, workload.checks)
            if name == BASELINE:
                want = got
            elif want is not None:
                result.error = far(got, want)
                if not result.error <= workload.tolerance:
                    result.status = "wrong"
                    result.reason = f"differs by {result.error:.1e} from the baseline, more than {workload.tolerance:.0e}"
                    prepared.close()
                    continue
            entrants[name] = Entrant(prepared, result)
        except DeclinedError as reason:
            result.status, result.reason = "declined", str(reason)
        except Exception as error:
            result.status, result.reason = "failed", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            if prepared is not None:
                prepared.close()
    return entrants


def race(entrants: Mapping[str, Entrant], limits: Limits) -> int:
    """Time in turns, everybody once a round and in the other order every second round; return the number of rounds."""
    for e in entrants.values():
        once = e.seconds(1)
        once = min(once, e.seconds(1)) if once < limits.turn * 20 else once
        e.count = max(1, min(100_000, round(limits.turn / max(once, 1e-9))))
        if e.count > 1:
            e.count = max(1, round(limits.turn / max(e.seconds(e.count), 1e-9)))
    order = list(entrants.values())
    begin, rounds = time.perf_counter(), 0
    while rounds < limits.rounds:
        for e in order if rounds % 2 else order[::-1]:
            e.turn()
        rounds += 1
        if rounds >= LEAST_ROUNDS and time.perf_counter() - begin > limits.seconds:
            break
        if rounds in LOOKS and known(entrants, limits.precision):
            break
    return rounds


def known(entrants: Mapping[str, Entrant], precision: float) -> bool:
    """Whether every ratio's interval is narrow enough; without others, the baseline's time."""
    base = entrants[BASELINE].times
    others = [e.times for name, e in entrants.items() if name != BASELINE]
    return all(estimate(values).width <= precision for values in ([paired_ratios(base, o) for o in others] or [base]))


def judge(entrants: Mapping[str, Entrant]) -> None:
    """Fill in medians, ratios and intervals."""
    base = entrants[BASELINE].times
    for name, e in entrants.items():
        e.result.times = e.times
        e.result.seconds = estimate(e.times).median
        ratios = paired_ratios(base, e.times)
        found = estimate(ratios)
        e.result.ratio, e.result.low, e.result.high = (1.0, 1.0, 1.0) if name == BASELINE else (found.median, found.low, found.high)
        e.result.drift = drift(ratios)
        e.result.reason = e.prepared.notes()


def run_case(case: Case, contestants: Mapping[str, Contestant], limits: Limits) -> CaseResult:
    """Run one case; what goes wrong in it is in the outcome."""
    outcome = CaseResult(case.name, case.group, case.note)
    try:
        entrants = enter(case, contestants, outcome)
    except Exception as error:  # the case cannot even be built
        outcome.results = {n: Result("failed", f"{type(error).__name__}: {error}") for n in contestants}
        return outcome
    try:
        if BASELINE in entrants and limits.rounds:
            watch = Watch()
            outcome.rounds = race(entrants, limits)
            outcome.noise = watch.read().words
            judge(entrants)
            for e in entrants.values():
                e.result.kernels = e.prepared.kernels(min(e.count, TRACED))
                peak(e)
    except Exception as error:  # in a call that had worked: nobody's time is good
        for e in entrants.values():
            e.result.status, e.result.reason = "failed", f"{type(error).__name__} while timing: {error}"
    finally:
        for e in entrants.values():
            e.prepared.close()
        entrants.clear()
        gc.collect()
    return outcome
