"""What a sandbox has used since a moment, from looks at it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox import processor_meter
from grader.sandbox.processor_meter import ProcessorMeter

steps = st.lists(st.tuples(st.floats(0.001, 5), st.floats(0, 5)), min_size=1, max_size=40)


class Machine:
    """A clock and the processor time that the kernel has counted, both set by hand."""

    now, counted = 100.0, 0.0

    def meter(self) -> ProcessorMeter:
        return ProcessorMeter(list, lambda: self.counted, lambda: self.now)


@given(steps, st.data())
def test_since_a_look_all_is_counted_and_since_a_moment_after_it_less(looks, data):
    machine = Machine()
    meter = machine.meter()
    seen = []
    for waited, cpu in looks:
        machine.now, machine.counted = machine.now + waited, machine.counted + cpu
        meter.look()
        seen.append((machine.now, machine.counted))
    for moment, before in seen:
        assert meter.since(moment).cpu == machine.counted - before
    early, late = sorted(data.draw(st.lists(st.floats(90, machine.now + 9), min_size=2, max_size=2)))
    assert meter.since(early).cpu >= meter.since(late).cpu >= 0


def test_before_the_first_look_nothing_is_known_and_all_since_then_is_counted():
    machine = Machine()
    meter = machine.meter()
    assert meter.since(0.0).cpu == 0
    machine.counted = 3.0
    assert meter.since(0.0).cpu == 3.0


def test_looks_of_days_are_remembered_in_little_memory(monkeypatch):
    """A long time may be told a little too short, by the distance of the looks that are left."""
    monkeypatch.setattr(processor_meter, "MOST_KEPT", 64)
    machine = Machine()
    meter = machine.meter()
    for _ in range(5000):
        machine.now, machine.counted = machine.now + 1, machine.counted + 1
        meter.look()
    assert len(meter._moments) <= 64
    for moment in (100, 1100, 5000):
        assert 5100 - moment - 5000 / 32 <= meter.since(moment).cpu <= 5100 - moment
