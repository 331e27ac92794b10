"""A help desk's log of activities: the figures of a real one, as somebody else computed them, and rows of no use."""

from pathlib import Path

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import tag_of
from stream.errors import SourceError
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import RESPONSE_BOUNDS_SECONDS, CaseTally
from stream.sources.files.case_log import Options, read
from stream.sources.intake import Intake
from tests.samples import sample


def table(folder: Path, *rows: str) -> Path:
    (file := folder / "log.csv").write_text("\n".join(rows) + "\n")
    return file


def test_the_figures_of_a_real_log_are_those_that_were_computed_apart_from_this_project() -> None:
    intake = Intake()
    events = list(read(Options(file=sample("datasets/helpdesk_event_log.csv")), intake))
    (queue,) = replay(events).board().snapshots["cases"]
    assert isinstance(queue, CasesSnapshot)
    counts = queue.counted.window("all", CaseTally)

    assert (intake.used["rows"], intake.refused.total()) == (13_710, 0)
    assert (counts.opened, counts.full_resolutions, queue.open) == (3804, 3803, 1)
    assert counts.first_responses_ms / 1000 / counts.first_responses == pytest.approx(225_478.035, abs=0.001)
    assert counts.full_resolutions_ms / 1000 / counts.full_resolutions == pytest.approx(760_360.71, abs=0.001)
    within = {bound: place + 1 for place, bound in enumerate(RESPONSE_BOUNDS_SECONDS)}
    assert sum(counts.first_responses_in[: within[3600]]) == 1742
    assert sum(counts.first_responses_in[: within[24 * 3600]]) == 2549


def test_rows_are_put_in_their_order_and_those_of_no_use_are_counted_by_their_place(tmp_path: Path) -> None:
    refused = []
    rows = ("2,9,2026-03-02 11:00:00", "2,1,2026-03-02 09:00:00", "3,1,yesterday", "", ",1,2026-03-02 09:00:00")
    file = table(tmp_path, "CaseID,ActivityID,CompleteTimestamp", *rows)
    intake = Intake(set_aside=lambda bad: refused.append(str(bad)))

    events = list(read(Options(file=file, time_zone="Europe/Rome"), intake))

    assert [(tag_of(event), f"{event.time:%H:%M}") for event in events] == [
        ("case.opened", "08:00"),
        ("message.sent", "10:00"),
        ("case.resolved", "10:00"),
    ]
    assert refused == [f"{file}:{line}: no case, or no time in the column CompleteTimestamp" for line in (4, 6)]


def test_a_table_without_the_columns_says_how_to_choose_them(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"no row has the heads Ticket and CompleteTimestamp; choose .* --case-column"
    ):
        list(read(Options(file=table(tmp_path, "a,b", "1,2"), case_column="Ticket"), Intake()))
