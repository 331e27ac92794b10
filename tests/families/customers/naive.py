"""The figures of customers, computed the simple way from all events at once: what every fold has to equal."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

from stream.core.cloudevents import Event, tag_of
from stream.families.customers.counts import CHANNELS, EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS
from stream.families.customers.events import CartEvent, CustomerForgotten
from stream.families.customers.rules import CustomerPolicy
from tests.families.customers.naive_carts import naive_facts, naive_name

Part = tuple[str, ...]
"""Queue, channel, plan, group."""

Told = list[tuple[Part, datetime, str | tuple[str, int], int]]
"""What counts: where, when, in which field, and how much."""

_DAYS_30 = timedelta(days=30)
_DAYS_60 = timedelta(days=60)
_HALF_A_YEAR = timedelta(days=185)


@dataclass
class _Contact:
    at: datetime
    queue: str = ""
    channel: str = ""
    matter: str = ""
    served: datetime | None = None
    messages: list[datetime] = field(default_factory=list)
    handed_over: list[datetime] = field(default_factory=list)
    solved: list[datetime] = field(default_factory=list)


class Naive:
    """One tenant, whose queues all have the same policy."""

    def __init__(self, events: Iterable[Event], policy: CustomerPolicy, *, parted: bool = True) -> None:
        self.policy = policy
        self.zone = policy.time_zone
        by_subject: defaultdict[str, list[Event]] = defaultdict(list)
        for event in {event.id: event for event in events}.values():
            by_subject[event.subject].append(event)
        self.parted = parted
        self.told: Told = []
        self.standing: defaultdict[Part, Counter[str]] = defaultdict(Counter)
        self.active: defaultdict[Part, list[dict[str, date]]] = defaultdict(list)
        for told in by_subject.values():
            if isinstance(told[0], get_args(CartEvent)):
                self._cart(cast("list[CartEvent]", told))
                continue
            # Whoever is forgotten and heard of again is somebody new.
            life: list[Event] = []
            for event in sorted(told, key=lambda event: event.time):
                life.append(event)
                if isinstance(event, CustomerForgotten):
                    self._customer(life)
                    life = []
            if life:
                self._customer(life)

    def counts(self, part: Part, window: str, at: datetime) -> dict[str, int | list[int]]:
        """Return what a window of a part has counted at an instant, but for zeros."""
        begins = self._first_day(window, self._day(at))
        sums: Counter[Any] = Counter()
        for where, when, name, number in self.told:
            # What is known of a day that comes counts when that day begins; of carts, when they are abandoned.
            until = at if name in _AT_ITS_INSTANT else self._next_day(at) - timedelta(milliseconds=1)
            if where == part and begins <= self._day(when) and when <= until:
                sums[name] += number
        found: dict[str, int | list[int]] = {}
        for name, number in sums.items():
            if isinstance(name, tuple):
                found.setdefault(name[0], [0] * _LENGTHS[name[0]])
                found[name[0]][name[1]] = number  # type: ignore[index]  # it is a list
            else:
                found[name] = number
        return {name: value for name, value in found.items() if (any(value) if isinstance(value, list) else value)}

    def active_in(self, part: Part, kind: str, days: int, at: datetime) -> int:
        """Return how many customers of a part were active in so many days, with the one of *at*."""
        first = self._day(at) - timedelta(days=days - 1)
        return sum(any(day >= first for name, day in one.items() if kind in {name, "any"}) for one in self.active[part])

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _next_day(self, at: datetime) -> datetime:
        return datetime.combine(self._day(at) + timedelta(days=1), time(0), self.zone).astimezone(UTC)

    @staticmethod
    def _first_day(window: str, today: date) -> date:
        if window == "month":
            return today.replace(day=1)
        if window == "quarter":
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        return today - timedelta(days=0 if window == "today" else int(window.removesuffix("d")))

    def _cart(self, told: Sequence[CartEvent]) -> None:
        members = _members(naive_name(told, "plan"), naive_name(told, "group"))
        for part in members:
            for at_ms, name, number in naive_facts(told, self.policy.cart_idle):
                self.told.append((part, _EPOCH + timedelta(milliseconds=at_ms), name, number))

    def _customer(self, told: Sequence[Event]) -> None:
        for number in range(1, len(told) if self.parted else 1):
            if self._is_over(told[:number], told[number].time):
                # Nothing of it is in a window any more: who comes again is new.
                return self._customer(told[number:])
        return self._known_customer(told)

    def _is_over(self, told: Sequence[Event], at: datetime) -> bool:
        """Whether nothing was heard for half a year of somebody who is no customer; of visits only the day is known."""
        heard = [
            datetime.combine(self._day(event.time), time(0), UTC) if _is_only_seen(event) else event.time
            for event in told
        ]
        if at - max(heard) <= _HALF_A_YEAR:
            return False
        standing = Naive(told, self.policy, parted=False).standing["", "", "", ""]
        return not standing["present"]

    def _known_customer(self, told: Sequence[Event]) -> None:
        plan = group = ""
        for event in told:
            plan = getattr(event.data, "plan", None) or plan
            group = getattr(event.data, "group", None) or group
        members = _members(plan, group)
        contacts = self._contacts(told)
        self._matters(contacts, members, is_customer=any(map(_tells_of_account, told)))
        self._asked(told)
        self._account(told, contacts, members)
        if isinstance(told[-1], CustomerForgotten):
            return
        days: dict[str, date] = {}
        for event in told:
            if name := _ACTIVE.get(tag_of(event), lambda _: "")(event.data):
                days[name] = self._day(event.time)
        for part in members:
            self.active[part].append(days)

    def _contacts(self, told: Sequence[Event]) -> list[_Contact]:
        contacts: dict[str, _Contact] = {}
        last_queue: dict[str, str] = {}
        for event in told:
            tag, data = tag_of(event), event.data
            if tag not in {"customer.contacted", "customer.handed_over", "customer.solved"}:
                continue
            if data.contact not in contacts:
                contacts[data.contact] = _Contact(event.time)
            elif tag == "customer.contacted" and data.message:
                contacts[data.contact].messages.append(event.time)
            one = contacts[data.contact]
            if tag == "customer.handed_over":
                if data.transfer or data.queue != last_queue.get(data.contact, data.queue):
                    one.handed_over.append(event.time)
                last_queue[data.contact] = data.queue
                continue
            self._come(one, event)
            if one.queue:
                last_queue.setdefault(data.contact, one.queue)
        return [one for one in contacts.values() if one.queue]

    def _come(self, one: _Contact, event: Event) -> None:
        data, solved = event.data, tag_of(event) == "customer.solved"
        if self.policy.matter_by_topic and data.topic and not one.matter.startswith("topic "):
            one.matter = f"topic {data.topic}"
        if not one.queue and data.queue and not solved:
            one.queue, one.channel = data.queue, data.channel or "voice"
            one.matter = one.matter or self.policy.matter or data.queue
        if solved and not (one.solved and all(message <= one.solved[-1] for message in one.messages)):
            one.solved.append(event.time)
        if solved or (data.served and not data.message):
            one.served = one.served or event.time

    def _matters(self, contacts: Sequence[_Contact], members: Sequence[Part], *, is_customer: bool) -> None:
        for contact in contacts:
            self.told.append(((contact.queue, contact.channel, "", ""), contact.at, "contacts", 1))
            if is_customer:
                self.told += [(part, contact.at, ("came_by", CHANNELS.index(contact.channel)), 1) for part in members]
        runs: list[list[_Contact]] = []
        for matter in dict.fromkeys(contact.matter for contact in contacts):
            newest: _Contact | None = None
            for contact in (one for one in contacts if one.matter == matter):
                if newest is None or contact.at - newest.at > self.policy.repeat_within:
                    runs.append([])
                runs[-1].append(contact)
                newest = contact
        for run in runs:
            self._run(run)

    def _run(self, run: Sequence[_Contact]) -> None:
        first, *repeats = run
        for contact in repeats:
            self.told.append(((contact.queue, contact.channel, "", ""), contact.at, "repeats", 1))
        if first.served is not None:
            where: Part = (first.queue, first.channel, "", "")
            decided = self._next_day(max(first.at + self.policy.repeat_within, first.served))
            self.told += [(where, first.at, "first_served", 1), (where, decided, "first_decided", 1)]
            if not repeats:
                self.told += [(where, first.at, "first_not_repeated", 1), (where, decided, "first_resolved", 1)]
        solutions = sorted((at, one.queue, one.channel, one.at) for one in run for at in one.solved)
        for number, (at, queue, channel, opened) in enumerate(solutions):
            if number + 1 < len(solutions) and solutions[number + 1][0] - at <= _DAYS_60:
                continue
            self._effort(run, at, (queue, channel, "", ""), min(opened, at - _DAYS_60))

    def _effort(self, run: Sequence[_Contact], solved: datetime, where: Part, since: datetime) -> None:
        def within(times: Iterable[datetime]) -> list[datetime]:
            return [at for at in times if since <= at <= solved]

        came = within(one.at for one in run)
        took = solved - min(came, default=solved)
        number = len(came) + len(within(at for one in run for at in one.messages))
        handed_over = len(within(at for one in run for at in one.handed_over))
        offered = len(within(at for one in run for at in one.solved))
        bucket = sum(took > timedelta(seconds=bound) for bound in EFFORT_BOUNDS_SECONDS)
        counts: dict[Any, int] = {
            "efforts": 1,
            "effort_ms": took // timedelta(milliseconds=1),
            "effort_contacts": number,
            "effort_handovers": handed_over,
            "effort_solutions": offered,
            ("effort_in", bucket): 1,
            ("effort_contacts_in", sum(number > bound for bound in EFFORT_CONTACTS_BOUNDS)): 1,
        }
        self.told += [(where, solved, name, count) for name, count in counts.items()]

    def _asked(self, told: Sequence[Event]) -> None:
        asked: dict[str, Event] = {}
        for event in told:
            if tag_of(event) == "customer.asked" and event.data.what == "invited":
                asked.setdefault(event.data.survey, event)
        times = [event.time for event in asked.values()]
        for number, event in enumerate(asked.values()):
            where: Part = (event.data.queue or "(none)", event.data.channel or "", "", "")
            self.told.append((where, event.time, "asked", 1))
            earlier = times[number - self.policy.most_invitations] if number >= self.policy.most_invitations else None
            if earlier is not None and event.time - earlier < self.policy.asked_within:
                self.told.append((where, event.time, "asked_too_often", 1))

    def _account(self, told: Sequence[Event], contacts: Sequence[_Contact], members: Sequence[Part]) -> None:
        states = [*_states(told)]
        counts = [*self._money(told, contacts, members), *_changes(states)]
        if any(there for _, there, _ in states) and any(getattr(event.data, "referred", False) for event in told):
            counts.append((next(at for at, there, _ in states if there), "referred", 1))
        _, present, monthly = states[-1]
        for part in members:
            self.told += [(part, at, name, number) for at, name, number in counts]
            if present:
                revenue = sum(number for _, name, number in counts if name == "revenue")
                self.standing[part].update(present=1, monthly=monthly, revenue=revenue)

    def _money(
        self, told: Sequence[Event], contacts: Sequence[_Contact], members: Sequence[Part]
    ) -> Iterator[tuple[datetime, str, int]]:
        orders: set[str] = set()
        for event in told:
            tag, data = tag_of(event), event.data
            if tag == "customer.purchased" and data.order not in orders:
                orders.add(data.order)
                yield event.time, "purchases", 1
                yield event.time, "revenue", round(data.amount * 100)
                self._journey(event.time, contacts, members)
            elif tag == "customer.refunded":
                yield event.time, "revenue", -round(data.amount * 100)

    def _journey(self, bought: datetime, contacts: Sequence[_Contact], members: Sequence[Part]) -> None:
        over = self._next_day(bought + _DAYS_30)
        for part in members:
            self.told.append((part, over, "journeys", 1))
            for one in contacts:
                if bought - _DAYS_30 <= one.at < bought:
                    self.told.append((part, over, ("before_by", CHANNELS.index(one.channel)), 1))
                elif bought <= one.at < bought + _DAYS_30:
                    self.told.append((part, over, ("after_by", CHANNELS.index(one.channel)), 1))


def _states(told: Sequence[Event]) -> Iterator[tuple[datetime, bool, int]]:
    """Yield after each event whether the customer is there, and what is paid in a month."""
    joined = any(tag_of(event) == "customer.joined" for event in told)
    present, monthly = False, 0
    orders: set[str] = set()
    for event in told:
        if tag_of(event) == "customer.joined":
            present = True
        elif tag_of(event) == "customer.purchased":
            present = present or not (joined or event.data.order in orders)
            orders.add(event.data.order)
        elif tag_of(event) in {"customer.left", "customer.forgotten"}:
            present = False
        if getattr(event.data, "monthly", None) is not None:
            monthly = round(event.data.monthly * 100)
        yield event.time, present, monthly if present else 0


def _changes(states: Sequence[tuple[datetime, bool, int]]) -> Iterator[tuple[datetime, str, int]]:
    """Yield what counts where one state follows another, in the light of the last."""
    _, stays, pays = states[-1]
    was, paid = False, 0
    for at, there, monthly in states:
        turn, change = there - was, monthly - paid
        if turn > 0 and all(before >= at for before, there_then, _ in states if there_then):
            yield at, "first_joined", 1
        if turn:
            yield at, "joined" if turn > 0 else "left", 1
            yield at, "gained" if stays else "lost", turn if stays else -turn
            yield at, "monthly_gained", turn * pays
        if change:
            yield at, "monthly_change", change
            yield at, "monthly_lost", 0 if stays else -change
        was, paid = there, monthly


def _members(plan: str, group: str) -> list[Part]:
    """Return the parts of customers with a plan and group."""
    named = [("", "", plan, "")] if plan else []
    named += [("", "", "", group)] if group else []
    return [("", "", "", ""), *named]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_AT_ITS_INSTANT = {"carts_abandoned", "carts_abandoned_value"}

_LENGTHS = {
    "came_by": len(CHANNELS),
    "before_by": len(CHANNELS),
    "after_by": len(CHANNELS),
    "effort_in": len(EFFORT_BOUNDS_SECONDS) + 1,
    "effort_contacts_in": len(EFFORT_CONTACTS_BOUNDS) + 1,
}


def _tells_of_account(event: Event) -> bool:
    """Whether its customer is one by it, or was one."""
    if tag_of(event) == "customer.changed":
        data = event.data
        return any(told is not None for told in (data.plan, data.group, data.monthly))
    return tag_of(event) in {"customer.joined", "customer.left", "customer.purchased", "customer.refunded"}


def _is_only_seen(event: Event) -> bool:
    return tag_of(event) == "customer.active" or (tag_of(event) == "customer.asked" and event.data.what == "answered")


_ACTIVE: dict[str, Callable[[Any], str]] = {
    "customer.contacted": lambda _: "contact",
    "customer.purchased": lambda _: "purchase",
    "customer.active": lambda _: "visit",
    "customer.asked": lambda data: "answer" if data.what == "answered" else "",
}

UTC_ZONE = ZoneInfo("UTC")
