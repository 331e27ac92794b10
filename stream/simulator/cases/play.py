"""The life of cases: they come in, agents work on them turn by turn, customers write again, and at last they close."""

from stream.families.cases.payloads import Status
from stream.simulator.arrivals import DAY_MS
from stream.simulator.callers import milliseconds
from stream.simulator.cases.desk import RAISED, CaseAgent, Mailbox, SimulatedCase
from stream.simulator.cases.events_out import CaseRecorder
from stream.simulator.customers.known import STRANGER
from stream.simulator.desks import Calendar

__all__ = ["CasePlay"]

# Made up, but in the order of what mail servers and people do.
_RECEIPT_MS = 4_000
_GREETING_MS = 1_500
_AWAY_MS = 45_000


class CasePlay:
    """Brings cases and agents together. Agents work on one case at once, and finish it also after their shift."""

    def __init__(self, calendar: Calendar, record: CaseRecorder, *, clock_ms: int, before_ms: int) -> None:
        """Begin at an instant that is *clock_ms* after the beginning of its week, and *before_ms* before the calls."""
        self._calendar = calendar
        self._record = record
        self._clock_ms = clock_ms
        self._before_ms = before_ms

    # Agents.

    def employ(self, agent: CaseAgent) -> None:
        """Plan the shifts of an agent."""
        if agent.plan.shift is None:
            self._calendar.at(0, self._come, agent)
            return
        today = self._clock_ms // DAY_MS
        # A shift that runs past midnight has begun the day before.
        self._plan_shift(agent, today - 1)
        self._begin_day((agent, today))

    def _begin_day(self, what: tuple[CaseAgent, int]) -> None:
        agent, day = what
        self._plan_shift(agent, day)
        # Each day plans the next one: the calendar stays short however long the run is.
        self._calendar.at((day + 1) * DAY_MS - self._clock_ms, self._begin_day, (agent, day + 1))

    def _plan_shift(self, agent: CaseAgent, day: int) -> None:
        shift = agent.plan.shift
        assert shift is not None
        begins = day * DAY_MS - self._clock_ms + milliseconds(shift.starts)
        ends = begins + milliseconds(shift.lasts)
        if day % 7 in agent.plan.days and ends > 0:
            self._calendar.at(max(begins, 0), self._come, agent)
            self._calendar.at(ends, self._go, agent)

    def _come(self, agent: CaseAgent) -> None:
        agent.at_work = True
        agent.idle_since = self._calendar.now
        self._serve(agent)

    def _go(self, agent: CaseAgent) -> None:
        agent.at_work = False

    def _serve(self, agent: CaseAgent) -> None:
        """Give a free agent what is to be worked on."""
        inbox = next((inbox for inbox in agent.inboxes if inbox), None) if agent.free else None
        if inbox is not None:
            self._begin(agent, inbox.next())

    # Cases come in.

    def expect(self, mailbox: Mailbox) -> None:
        """Plan the next arrival of a mailbox, if there ever is one."""
        when = next(mailbox.arrivals, None)
        if when is not None:
            self._calendar.at(when, self._arrive, mailbox)

    def _arrive(self, mailbox: Mailbox) -> None:
        self.expect(mailbox)
        mailbox.number += 1
        case = self._next_case(mailbox)
        mailbox.newest, mailbox.caller = case.id, case.caller
        if case.request.by_us:
            self._write_first(case)
            return
        record, plan = self._record, mailbox.plan
        record.opened(case, "customer")
        record.received(case)
        case.waits = True
        if plan.bot:
            self._calendar.after(_GREETING_MS, self._greet, case)
        if plan.receipts:
            self._calendar.after(_RECEIPT_MS, record.sent_by_machine, case)
        self._lay_in(case)

    def _next_case(self, mailbox: Mailbox) -> SimulatedCase:
        request = mailbox.requests.draw()
        # What is to be merged was told twice, and by one customer.
        told_twice = request.turns[0].does == "merge" and mailbox.newest is not None
        caller = mailbox.caller
        if not told_twice:
            caller = STRANGER if mailbox.known is None else mailbox.known.draw(self._calendar.now - self._before_ms)
        return SimulatedCase(self._record.case_id(mailbox), mailbox, request, caller=caller, twin=mailbox.newest)

    def _greet(self, case: SimulatedCase) -> None:
        self._record.sent_by_machine(case, "bot")

    def _write_first(self, case: SimulatedCase) -> None:
        """An agent opens a case, or a rule where nobody is at work."""
        agent = next((agent for _, agent in case.inbox.agents if agent.at_work), None)
        if agent is None:
            self._record.opened(case, "system")
            self._record.sent_by_machine(case)
        else:
            case.agent = agent.plan.id
            self._record.opened(case, "agent")
            self._record.sent(case)
        self._set_status(case, "pending")
        if case.request.reply is None:
            self._calendar.after(milliseconds(case.mailbox.plan.solved_by_time), self._solve_by_time, case)
        else:
            self._calendar.after(case.request.reply, self._write, case)

    # Agents work on them.

    def _lay_in(self, case: SimulatedCase) -> None:
        inbox = case.inbox
        inbox.put(case)
        if case.waits and case.next.again:
            self._calendar.after(case.next.again[0], self._write_again, (case, case.turn, 0))
        agent = inbox.best()
        if agent is not None:
            self._begin(agent, inbox.next())

    def _begin(self, agent: CaseAgent, case: SimulatedCase) -> None:
        agent.case = case
        if case.agent != agent.plan.id:
            case.agent = agent.plan.id
            self._record.assigned(case)
        self._set_status(case, "open")
        self._calendar.after(case.next.work, self._finish, agent)

    def _finish(self, agent: CaseAgent) -> None:
        case = agent.case
        assert case is not None
        turn = case.next
        if turn.does in {"spam", "delete", "merge"}:
            case.waits = False  # nobody writes to what is gone
        if turn.note:
            self._record.sent(case, public=False)
        if turn.raised and case.priority != "urgent":
            case.priority = RAISED[case.priority]
            self._record.priority(case)
        self._do(case)
        agent.case, agent.idle_since = None, self._calendar.now
        self._serve(agent)

    def _do(self, case: SimulatedCase) -> None:
        match case.next.does:
            case "spam":
                self._record.deleted(case, "spam")
            case "delete":
                self._record.deleted(case, "deleted")
            case "merge" if case.twin is not None:
                self._record.merged(case, case.twin)
            case "reassign":
                self._reassign(case)
            case "ask":
                self._ask(case)
            case "hold":
                self._hold(case)
            case _:
                self._solve(case)

    def _reassign(self, case: SimulatedCase) -> None:
        assert case.mailbox.other is not None
        case.inbox, case.agent = case.mailbox.other, None
        self._record.assigned(case)
        self._go_on(case)

    def _ask(self, case: SimulatedCase) -> None:
        self._answer(case)
        self._set_status(case, "pending")
        turn = case.next
        if turn.away:
            self._calendar.after(_AWAY_MS, self._reply_by_machine, case)
        if turn.after is None:
            self._calendar.after(milliseconds(case.mailbox.plan.solved_by_time), self._solve_by_time, case)
        else:
            self._calendar.after(turn.after, self._reply, case)

    def _hold(self, case: SimulatedCase) -> None:
        self._answer(case)
        self._set_status(case, "on_hold")
        assert case.next.after is not None
        self._calendar.after(case.next.after, self._go_on, case)

    def _solve(self, case: SimulatedCase) -> None:
        turn, closes_after = case.next, milliseconds(case.mailbox.plan.closes_after)
        if turn.said:
            self._answer(case)
        case.waits = False
        self._record.resolved(case, case.agent)
        if turn.after is not None:
            self._calendar.after(turn.after, self._reopen, case)
            return
        if turn.away and turn.said:
            self._calendar.after(_AWAY_MS, self._reply_by_machine, case)
        if turn.thanks is not None:
            self._calendar.after(turn.thanks, self._record.received, case)
        self._calendar.after(closes_after, self._record.closed, case)

    def _solve_by_time(self, case: SimulatedCase) -> None:
        self._record.resolved(case, None)
        self._calendar.after(milliseconds(case.mailbox.plan.closes_after), self._record.closed, case)

    def _answer(self, case: SimulatedCase) -> None:
        self._record.sent(case)
        case.waits = False

    def _set_status(self, case: SimulatedCase, status: Status) -> None:
        # Told only where it differs: a help desk shows what changed.
        if case.status != status:
            case.status = status
            self._record.status(case)

    # Customers write again.

    def _write(self, case: SimulatedCase) -> None:
        self._record.received(case)
        case.waits = True
        self._set_status(case, "open")
        self._lay_in(case)

    def _reply(self, case: SimulatedCase) -> None:
        case.turn += 1
        self._write(case)

    def _go_on(self, case: SimulatedCase) -> None:
        case.turn += 1
        self._set_status(case, "open")
        self._lay_in(case)

    def _reopen(self, case: SimulatedCase) -> None:
        # Who was not told of the solution did not write: an agent has seen that it was none.
        if case.next.said:
            self._record.received(case)
        self._record.reopened(case)
        case.waits = True
        self._go_on(case)

    def _reply_by_machine(self, case: SimulatedCase) -> None:
        self._record.received(case, automatic=True)

    def _write_again(self, what: tuple[SimulatedCase, int, int]) -> None:
        case, turn, number = what
        if not case.waits or case.turn != turn:
            return
        self._record.received(case)
        again = case.next.again
        if number + 1 < len(again):
            self._calendar.after(again[number + 1], self._write_again, (case, turn, number + 1))
