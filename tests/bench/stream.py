# SPDX-License-Identifier: Apache-2.0
"""Samples per second of a simulated LabJack U6 on a played USB bus, which reach a subscriber without a gap."""
from daemon import Daemon
from process import Program
from table import Row, median

RATES = (50000, 20000, 10000, 5000, 1000)  # the first is the device's limit
SLICE_S = 0.1
GROUP = ("Samples per second of a U6's stream that reach a subscriber without a gap, in frames of 0.1 s, sync: always;\n"
         "simulator and USB bus take a part of the same machine")


def instrument(rate):
    return {"driver": "labjack-u6", "simulated": True, "link": {"type": "usb", "path": "1-1"},
            "acquire": {"mode": "continuous", "new_run": "1h"},
            "settings": {"inputs": [{"channel": 0, "name": "fid"}], "rate": f"{rate} Hz", "slice": f"{SLICE_S} s"}}


def has_gap(place):
    """The driver logs the first gap."""
    log = place.log("assayd").read_text(errors="replace")
    return "the device dropped" in log or "scans are missing" in log


def bus_of(place):
    return place.build / "tests/usb/usb-bus"


def measure_rate(place, rate, plan):
    """Samples per second; None if some were lost."""
    socket = place.sockets / "u6"
    socket.unlink(missing_ok=True)
    place.log("assayd").unlink(missing_ok=True)
    bus = ["umockdev-wrapper", bus_of(place), "--device", socket]
    with Program([place.build / "tools/sim/assay-sim", "labjack-u6", "--usb-socket", socket, "--quiet"],
                 place.log("assay-sim")) as sim:
        sim.read_line()
        with Daemon(place, {"gc-1": instrument(rate)}, bus=bus) as daemon:
            counts = daemon.count_frames(plan.warm_up, plan.stream_seconds)
    samples = counts["frames_per_s"] * rate * SLICE_S
    is_late = samples < 0.9 * rate  # the simulator itself had too little of the processor
    return None if has_gap(place) or is_late or counts["gaps"] + counts["dropped"] > 0 else samples


def measure(place, plan):
    """The highest rate without a gap."""
    if not bus_of(place).exists():
        return []  # a build without umockdev
    for rate in RATES:
        found = [measure_rate(place, rate, plan) for _ in range(plan.rounds)]
        if None not in found:
            return [Row(GROUP, f"one input at {rate:,} Hz", "samples/s", median(found), {"device": RATES[0]},
                        median(found) / RATES[0])]
    return [Row(GROUP, f"one input at {RATES[-1]:,} Hz", "samples/s", 0, {"device": RATES[0]}, 0, note="GAPS")]
