"""How fast a load may go, on a clock of the test's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from datamig_pipelines.errors import ConnectionLostError
from datamig_pipelines.ledger.control import ControlFile, Word
from datamig_pipelines.spec import Throttle
from datamig_pipelines.transfer import Event
from datamig_pipelines.transfer.events import Committed, Paced, Said
from datamig_pipelines.transfer.pace import Pace
from datamig_pipelines.transfer.watch import Watch


@dataclass
class Clock:
    """A clock that goes on when somebody sleeps."""

    now: float = 1000.0
    at: dict[float, Callable[[], None]] = field(default_factory=dict)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for moment in [m for m in self.at if m <= self.now]:
            self.at.pop(moment)()


@dataclass
class Track:
    """A pace on a clock, and what it tells."""

    clock: Clock
    pace: Pace
    told: list[Event]

    def batch(self, rows: int, size: int = 0, seconds: float = 0.0) -> float:
        """Write one batch that takes so long; return the seconds waited before it."""
        began = self.clock.now
        assert self.pace.wait(rows, size, lambda: False)
        waited = self.clock.now - began
        self.clock.now += seconds
        self.pace.spent(rows, size, seconds)
        return waited

    def said(self) -> list[str]:
        return [e.text for e in self.told if isinstance(e, Said)]


def track(watch: Callable[[Clock], Watch] | None = None, **limits: float) -> Track:
    clock, told = Clock(), []
    eyes = watch(clock) if watch else None
    return Track(clock, Pace(Throttle(**limits), eyes, told.append, clock, clock.sleep), told)


def test_pace_without_limits_never_waits():
    """Nobody is held up who did not ask for it."""
    free = track()

    assert [free.batch(10**6, 10**9) for _ in range(5)] == [0.0] * 5


@pytest.mark.parametrize(
    ("limits", "each_s"),
    [
        ({"rows_per_s": 100}, 0.5),
        ({"bytes_per_s": 1000}, 2.0),
        ({"rows_per_s": 100, "bytes_per_s": 1000}, 2.0),
    ],
)
def test_pace_keeps_rows_and_bytes_below_the_limit(limits, each_s):
    """The first batch goes at once, each further one when the one before is paid for."""
    slow = track(**limits)

    waits = [slow.batch(50, 2000) for _ in range(5)]

    assert waits == [0.0, *[pytest.approx(each_s)] * 4]


def test_batch_bigger_than_the_budget_passes():
    """A batch of ten seconds' rows is written; the next one waits ten seconds, not for ever."""
    slow = track(rows_per_s=100)

    assert [slow.batch(1000), slow.batch(10), slow.batch(10)] == [
        0.0, pytest.approx(10.0), pytest.approx(0.1),
    ]  # fmt: skip


def test_idle_time_gives_no_burst():
    """After an hour of nothing only one batch goes at once."""
    slow = track(rows_per_s=100)
    slow.batch(100)
    slow.clock.now += 3600

    assert [slow.batch(100), slow.batch(100)] == [0.0, pytest.approx(1.0)]


def test_waiting_ends_when_the_load_is_stopped():
    """Whoever waits for an hour is gone within a quarter of a second."""
    slow = track(rows_per_s=1)
    slow.batch(3600)
    began = slow.clock.now
    ends = began + 5

    assert not slow.pace.wait(1, 0, lambda: slow.clock.now >= ends)
    assert slow.clock.now - ends < 0.25


def test_every_commit_is_told():
    """Metrics hear of each batch, with its table."""
    free = track()
    free.pace.spent(10, 20, 0.5, "orders")

    assert free.told == [Committed("orders", 10, 20, 0.5)]


def test_suffering_target_is_given_rest_and_told():
    """Slow commits halve the pace, down to a sixteenth; it is told once."""
    kind = track(max_commit_s=2)
    for _ in range(5):
        kind.batch(100, seconds=1)
    waits = [kind.batch(100, seconds=10) for _ in range(6)]

    assert waits[0] == 0.0
    assert waits[1] == pytest.approx(3.7)  # half the time: as long as a batch takes by the mean
    assert waits[1] < waits[2] < waits[3] <= waits[-1] <= 60
    assert len([t for t in kind.said() if t.startswith("slower")]) == 1


def test_pace_recovers_slowly_and_says_so():
    """Quick commits bring the full pace back, a twentieth at a time."""
    kind = track(max_commit_s=2)
    for seconds in (1, 1, 10, 10):
        kind.batch(100, seconds=seconds)
    waits = [kind.batch(100, seconds=1) for _ in range(40)]

    paced = [e for e in kind.told if isinstance(e, Paced)]
    assert [e.slowed for e in paced] == [True, False]
    assert waits[-1] == 0.0
    assert 15 < sum(w > 0 for w in waits) < 30


def test_several_workers_halve_the_pace_once():
    """Four workers that wait for the same slow disk are one sign, not four."""
    kind = track(max_commit_s=2)
    kind.pace.spent(100, 0, 1.0)
    for _ in range(4):
        kind.pace.spent(100, 0, 30.0)

    assert kind.pace._share == 0.5


def test_limit_that_no_batch_keeps_is_told_and_does_not_strangle():
    """Where even the best batch is too slow, its double is the limit, and somebody is told why."""
    kind = track(max_commit_s=1)
    waits = [kind.batch(100, seconds=5) for _ in range(10)]

    assert waits == [0.0] * 10
    assert [t for t in kind.said() if "lower batch_size" in t] == kind.said()[:1]
    assert len(kind.said()) == 1


@dataclass
class Server:
    """Stands in for a session: says what the test wants about replicas."""

    lags: Iterator[float | None]
    broken: bool = False
    closed: int = 0

    @property
    def dialect(self) -> "Server":
        return self

    def replication_lag_s(self, _: object) -> float | None:
        if self.broken:
            raise ConnectionLostError("gone", hint="")
        return next(self.lags)

    def close(self) -> None:
        self.closed += 1


def test_lagging_replica_holds_the_load_until_it_has_caught_up(tmp_path):
    """Above the limit nothing is written; looks are five seconds apart; begin and end are told."""
    server = Server(iter([1.0, 40.0, 30.0, 5.0, 0.0, 0.0]))
    slow = track(lambda c: Watch(lambda _: ControlFile(tmp_path), lambda: server, 10, c))

    waits = []
    for _ in range(3):
        waits.append(slow.batch(1))
        slow.clock.now += 5

    assert waits == [0.0, pytest.approx(10, abs=2.5), 0.0]
    assert [t.partition(":")[0] for t in slow.said()] == [
        "waiting", "going on",
    ]  # fmt: skip


def test_lag_that_cannot_be_seen_is_told_once(tmp_path):
    """None is not zero: the load goes on, and says that it is blind."""
    server = Server(iter([None] * 9))
    slow = track(lambda c: Watch(lambda _: ControlFile(tmp_path), lambda: server, 10, c))
    for _ in range(4):
        slow.batch(1, seconds=6)

    assert slow.said() == [
        "cannot see whether to wait: this user may not see how far the replicas are"
    ]


def test_look_that_fails_is_told_and_tried_again(tmp_path):
    """A lost session is opened anew; what was seen last holds until then."""
    server = Server(iter([40.0, 0.0]))
    slow = track(lambda c: Watch(lambda _: ControlFile(tmp_path), lambda: server, 10, c))
    slow.clock.at = {
        1003: lambda: setattr(server, "broken", True),
        1012: lambda: setattr(server, "broken", False),
    }

    waited = slow.batch(1)

    assert waited > 12
    assert server.closed >= 1
    assert "cannot see whether to wait: gone" in slow.said()


def test_pause_holds_until_somebody_says_go(tmp_path):
    """The word of a person holds every worker; who paused and who resumed is told."""
    control = ControlFile(tmp_path / "home")
    control.say(Word("pause", "ann@desk"))
    slow = track(lambda c: Watch(lambda _: control, None, None, c))
    slow.clock.at = {1100: lambda: control.say(Word("go", "bob@desk"))}

    waited = slow.batch(1)

    assert 100 <= waited <= 102.5
    assert slow.told[0].paused
    assert [t.partition(" at ")[0] for t in slow.said()] == [
        "paused by ann@desk", "going on: resumed by bob@desk",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", '{"word": 1, "x": 2}', "[]"])
def test_control_file_that_is_no_word_is_none(tmp_path, text):
    """Half a file or somebody else's file pauses nobody."""
    control = ControlFile(tmp_path)
    control.path.write_text(text)

    assert control.last() is None
