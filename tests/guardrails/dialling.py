"""An account that dials waves as slowly as it may, and looks at everybody's clock at each dial."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails.estimate import CallLength, call_length, estimate
from atoms_campaigns_mcp.guardrails.policy import Hours
from atoms_campaigns_mcp.guardrails.waves.sizes import Wave, Waves, split
from atoms_campaigns_mcp.guardrails.windows import Window

# Half and quarter hours, the date line, clocks that change at midnight, at one, by half an hour.
ZONES: tuple[str, ...] = (
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "Europe/London",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
# Days on which clocks change, and where.
CHANGES = (
    (date(2027, 3, 14), "America/New_York"),
    (date(2027, 3, 14), "America/Havana"),
    (date(2027, 3, 28), "Europe/London"),
    (date(2027, 4, 4), "Australia/Lord_Howe"),
    (date(2027, 4, 4), "America/Santiago"),
    (date(2027, 4, 4), "Pacific/Chatham"),
    (date(2027, 4, 30), "Africa/Cairo"),
    (date(2027, 9, 5), "America/Santiago"),
    (date(2027, 9, 26), "Pacific/Auckland"),
    (date(2027, 10, 3), "Australia/Lord_Howe"),
    (date(2027, 10, 29), "Africa/Cairo"),
    (date(2027, 10, 31), "Europe/London"),
    (date(2027, 11, 7), "America/St_Johns"),
    (date(2027, 11, 7), "America/Havana"),
)


@dataclass(frozen=True)
class Case:
    """A list, and how it is to be called."""

    contacts: tuple[tuple[str, ...], ...]
    window: Window
    retries: int
    delay: int
    slots: int
    after: datetime
    length: CallLength

    @property
    def call(self) -> float:
        """Minutes of the longest call."""
        return self.length.each / 60

    @classmethod
    def drawn(cls, random: Random) -> "Case":
        """Draw one; most are near a change of the clocks."""
        kinds = [
            tuple[str, ...](random.sample(ZONES, random.choice((0, 1, 1, 1, 1, 2, 2, 3))))
            for _ in range(random.randint(1, 5))
        ]
        first = date(2027, 1, 1) + timedelta(random.randrange(500))
        start, end = sorted(random.sample(range(1441), 2))
        if random.random() < 0.7:
            first, zone = random.choice(CHANGES)
            first -= timedelta(random.choice((0, 0, 1)))
            kinds.append((zone,))
            # Where one of the ends is, at which the clock may be skipped or come twice.
            night = random.randrange(0, 240, 15)
            start, end = random.choice(
                ((night, night + 180), (night, end + night), (0, night + 15))
            )
        end = min(end, 1440)
        weekdays = random.sample(range(7), random.choice((1, 3, 5, 7, 7)))
        return cls(
            contacts=tuple(random.choice(kinds) for _ in range(random.randint(0, 40))),
            window=Window(first, random.randint(1, 9), Hours(start, end), frozenset(weekdays)),
            retries=random.choice((0, 0, 1, 2, 3, 10)),
            delay=random.choice((1, 5, 15, 60, 240)),
            slots=random.randint(1, 12),
            after=datetime(first.year, first.month, first.day, tzinfo=UTC)
            + timedelta(hours=random.randint(-30, 30)),
            length=call_length([random.choice((0, 61, 140, 200, 400))] * random.choice((9, 100))),
        )

    def split(self) -> Waves:
        """Split it, by the estimate that previews show."""
        return split(self.contacts, self.window, after=self.after, minutes=self.minutes)

    def minutes(self, contacts: int) -> int:
        """Tell how long so many take at the slow end."""
        return estimate(contacts, self.retries, self.delay, self.slots, length=self.length).minutes[
            1
        ]

    def is_day(self, contact: int, moment: datetime) -> bool:
        """Look at the clock and calendar of every zone in which somebody may be."""
        window = self.window
        for zone in self.contacts[contact]:
            there = moment.astimezone(ZoneInfo(zone))
            minute = there.hour * 60 + there.minute
            if not window.hours.start <= minute < window.hours.end:
                return False
            if there.weekday() not in window.weekdays or there.date() < window.first:
                return False
        return True


def dials(case: Case, waves: Sequence[Wave], random: Random) -> Iterator[tuple[int, Wave, float]]:
    """Yield each contact, wave and minute after the first start at which a call may end.

    Everybody is called as often as allowed, each call lasts as long as it may, and who of those
    that wait goes first is drawn.
    """
    if not waves:
        return
    first = min(wave.start for wave in waves)
    due = [
        ((wave.start - first).total_seconds() / 60, random.random(), contact, 0, place)
        for place, wave in enumerate(waves)
        for contact in wave.members
    ]
    heapq.heapify(due)
    free = [0.0] * case.slots
    while due:
        slot = heapq.heappop(free)
        now = max(slot, due[0][0])
        ready = [heapq.heappop(due)]
        while due and due[0][0] <= now:
            ready.append(heapq.heappop(due))
        _, _, contact, attempt, place = ready.pop(random.randrange(len(ready)))
        for other in ready:
            heapq.heappush(due, other)
        yield contact, waves[place], now
        heapq.heappush(free, now + case.call)
        if attempt < case.retries:
            again = now + case.call + case.delay
            heapq.heappush(due, (again, random.random(), contact, attempt + 1, place))


def check(seed: int) -> Waves:
    """Split a drawn list and dial it: nobody is lost, and everybody is called by day."""
    random = Random(seed)  # noqa: S311 - it draws cases
    case = Case.drawn(random)
    found = case.split()
    places = [place for wave in found.waves for place in wave.members]
    places += [place for left in found.left.values() for place in left]
    assert sorted(places) == list(range(len(case.contacts))), seed
    assert all(wave.start >= case.after for wave in found.waves), seed
    assert list(found.waves) == sorted(found.waves, key=lambda wave: wave.start), seed
    for contact, wave, minute in dials(case, found.waves, random):
        begins = min(w.start for w in found.waves) + timedelta(minutes=minute)
        ends = begins + timedelta(minutes=case.call)
        assert wave.start <= begins, seed
        assert ends <= wave.latest_end <= wave.closes, seed
        assert case.is_day(contact, begins), seed
        assert case.is_day(contact, ends - timedelta(microseconds=1)), seed
    for wave in found.waves:
        for minute in range(0, int((wave.closes - wave.start).total_seconds() / 60), 15):
            assert case.is_day(wave.members[0], wave.start + timedelta(minutes=minute)), seed
    for place in found.left.get("unknown_zone", ()):
        assert not case.contacts[place], seed
    for place in found.left.get("no_common_hour", ())[:1]:
        assert not _has_an_hour(case, place), seed
    return found


def _has_an_hour(case: Case, contact: int) -> bool:
    """Return whether it is day for somebody at some quarter of an hour, on days like any other.

    On days when a clock changes, some time that exists twice is left out of its day on purpose.
    """
    midnight = datetime.combine(case.window.first, datetime.min.time(), UTC) - timedelta(days=1)
    last = case.window.first + timedelta(days=case.window.days)
    zones = [ZoneInfo(zone) for zone in case.contacts[contact]]
    for quarter in range(96 * (case.window.days + 2)):
        moment = midnight + timedelta(minutes=15 * quarter)
        if not case.is_day(contact, moment):
            continue
        days = [moment + timedelta(days=shift) for shift in (-1, 1)]
        changing = any(
            len({day.astimezone(zone).utcoffset() for day in days}) > 1 for zone in zones
        )
        if not changing and all(moment.astimezone(zone).date() < last for zone in zones):
            return True
    return False
