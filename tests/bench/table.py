# SPDX-License-Identifier: Apache-2.0
"""One row per measured value: name, limit of the machine, ratio, goal."""
import dataclasses
import statistics
import typing


@dataclasses.dataclass
class Row:
    group: str
    name: str
    unit: str
    measured: float
    limits: dict[str, typing.Optional[float]]
    ratio: typing.Optional[float] = None
    goal: typing.Optional[str] = None  # ">= 0.5" or "<= 2", of the ratio where there is one
    note: str = ""

    def met(self):
        value = self.ratio if self.limits else self.measured
        if self.goal is None or value is None:
            return None
        relation, bound = self.goal.split()
        return value >= float(bound) if relation == ">=" else value <= float(bound)

    def as_json(self):
        return {**dataclasses.asdict(self), "met": self.met()}


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def spread(values):
    """Half the range of the values, in per cent of their median."""
    middle = median(values)
    return 100 * (max(values) - min(values)) / 2 / middle if middle else 0


def quartiles(values):
    """The middle half of the values: what one measurement more would probably give."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return f"middle half {low:.2f} to {high:.2f}"


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def show(rows):
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            print(f"\n{group}")
        limits = "  ".join(f"{name} {number(value)}" for name, value in row.limits.items())
        ratio = "" if row.ratio is None else f"ratio {row.ratio:.2f}"
        verdict = {None: "", True: "met", False: "NOT MET"}[row.met()]
        goal = "" if row.goal is None else f"goal {row.goal}"
        print(f"  {row.name:<30} {number(row.measured):>9} {row.unit:<9} {limits:<44} "
              f"{ratio:<11} {goal:<12} {verdict}{'  ' if row.note else ''}{row.note}".rstrip())
