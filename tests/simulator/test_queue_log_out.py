import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.simulator import demo_centre, office_centre, simulate, to_queue_log
from stream.simulator.centre import Centre
from tests.simulator.centres import START, centres, played, seeds

CALL_ID = r"\d+\.\d+"
MEMBERSHIP = {"ADDMEMBER": "", "REMOVEMEMBER": "", "PAUSE": ".+", "UNPAUSE": ""}
SHAPES = {
    "ENTERQUEUE": r"\|0555\d{7}\|[1-9]\d*",
    "CONNECT": rf"\d+\|{CALL_ID}\|\d+",
    "COMPLETEAGENT": r"\d+\|\d+\|[1-9]\d*",
    "COMPLETECALLER": r"\d+\|\d+\|[1-9]\d*",
    "ABANDON": r"[1-9]\d*\|[1-9]\d*\|\d+",
    "EXITWITHTIMEOUT": r"[1-9]\d*\|[1-9]\d*\|\d+",
    "EXITEMPTY": r"[1-9]\d*\|[1-9]\d*\|\d+",
    "EXITWITHKEY": r"[12]\|[1-9]\d*\|[1-9]\d*\|\d+",
    "BLINDTRANSFER": r"\w+\|from-queue\|\d+\|\d+\|[1-9]\d*",
    "ATTENDEDTRANSFER": r"APP\|\w+\|\d+\|\d+\|[1-9]\d*",
    "RINGNOANSWER": r"\d+",
    "RINGCANCELED": r"\d+",
    "FULL": "",
    "CLOSED": "",
    "JOINEMPTY": "",
}
OVER = {"ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "COMPLETEAGENT", "COMPLETECALLER"}


def is_well_formed(line: str) -> bool:
    epoch, call, queue, member, verb, parameters = line.split("|", 5)
    if verb == "QUEUESTART":
        return (call, queue, member, parameters) == ("NONE", "NONE", "NONE", "")
    shapes = MEMBERSHIP if call == "NONE" else SHAPES
    return epoch.isdecimal() and queue != "NONE" and re.fullmatch(shapes[verb], parameters) is not None


@settings(max_examples=30)
@given(centres(), seeds)
def test_every_line_is_one_that_asterisk_writes_and_time_never_goes_back(centre: Centre, seed: int) -> None:
    lines = list(to_queue_log(played(centre, seed=seed), queues=centre.queue_names("voice")))

    assert all(map(is_well_formed, lines)), lines
    assert lines == sorted(lines, key=lambda line: int(line.split("|")[0]))
    assert [line.split("|")[4] == "QUEUESTART" for line in lines] == [True, *[False] * (len(lines) - 1)][: len(lines)]


@settings(max_examples=30)
@given(centres(), seeds)
def test_a_call_follows_the_order_of_verbs_and_its_durations_are_those_of_its_lines(centre: Centre, seed: int) -> None:
    calls: dict[str, list[list[str]]] = defaultdict(list)
    for line in to_queue_log(played(centre, seed=seed), queues=centre.queue_names("voice")):
        calls[line.split("|")[1]].append(line.split("|"))
    calls.pop("NONE", None)

    for lines in calls.values():
        verbs = " ".join(line[4] for line in lines)
        visit = r"ENTERQUEUE( RINGNOANSWER| RINGCANCELED)*( CONNECT( COMPLETE\w+| \w+TRANSFER)?| ABANDON| EXIT\w+)?"
        assert re.fullmatch(rf"{visit}( {visit})*|FULL|CLOSED|JOINEMPTY", verbs), verbs
        at: dict[str, int] = {}
        for epoch, _, _, _, verb, *parameters in lines:
            at[verb] = int(epoch)
            if verb == "CONNECT":
                assert int(parameters[0]) == at["CONNECT"] - at["ENTERQUEUE"]
            elif verb == "ABANDON":
                assert int(parameters[2]) == at["ABANDON"] - at["ENTERQUEUE"]
            elif verb.startswith("COMPLETE"):
                assert [int(p) for p in parameters[:2]] == [at["CONNECT"] - at["ENTERQUEUE"], at[verb] - at["CONNECT"]]


def test_the_log_counts_what_the_events_count() -> None:
    midnight = START.replace(hour=0, minute=0)
    day = list(simulate(office_centre(), start=midnight, end=midnight + timedelta(days=1), seed=3))
    voice = [event for event in day if getattr(event.data, "channel", None) == "voice"]

    said = Counter(line.split("|")[4] for line in to_queue_log(day, queues=office_centre().queue_names("voice")))

    told = Counter(type(event) for event in voice)
    assert said["ENTERQUEUE"] == told[e.ContactEnqueued] > 300
    assert said["CONNECT"] == told[e.ContactAnswered]
    assert said["ABANDON"] == told[e.ContactAbandoned]
    assert sum(said[verb] for verb in said if verb.startswith("EXIT")) == told[e.ContactDequeued]
    assert sum(said[verb] for verb in said if verb.endswith("TRANSFER")) == told[e.ContactTransferred]
    assert said["RINGNOANSWER"] + said["RINGCANCELED"] == told[e.OfferEnded]
    assert said["ADDMEMBER"] == said["REMOVEMEMBER"] == 14
    assert said["PAUSE"] == said["UNPAUSE"] > 0


def test_one_tenant_of_several_is_written_and_no_other_channel() -> None:
    centre = demo_centre()
    queues = centre.queue_names("voice", tenant="northwind")

    lines = list(to_queue_log(played(centre), tenant="northwind", queues=queues))

    assert {line.split("|")[2] for line in lines} == {"NONE", "sales", "support"}


def test_a_transferred_call_keeps_its_uniqueid_in_the_next_queue() -> None:
    lines = [line.split("|") for line in to_queue_log(played(demo_centre(), hours=3), tenant="northwind")]

    moved = {line[1] for line in lines if line[4].endswith("TRANSFER") and "support" in line}
    entered = {line[1] for line in lines if line[2] == "support" and line[4] == "ENTERQUEUE"}
    assert moved
    assert moved <= entered


@pytest.mark.parametrize(("milliseconds", "epoch"), [(0, 1704067200), (999, 1704067200), (1000, 1704067201)])
def test_seconds_are_those_that_have_passed(milliseconds: int, epoch: int) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    data = payloads.EnqueuedData(queue="sales", position=2)
    entered = e.ContactEnqueued(id="1", source="/test", time=at, subject="ann", specversion="1.0", data=data)

    assert list(to_queue_log([entered])) == [
        f"{epoch}|NONE|NONE|NONE|QUEUESTART|",
        f"{epoch}|{epoch}.1|sales|NONE|ENTERQUEUE||05550000001|2",
    ]
