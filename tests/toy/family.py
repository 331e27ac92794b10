"""A family in miniature: one event, one table, one count and one ratio."""

from collections.abc import Sequence

from stream.core.counted import counted_ever, counted_in
from stream.core.family import Family
from stream.core.figure import Figure, Reading, Show, ShownNote
from stream.core.judgement import State, kept_above
from stream.core.metric import counter, gauge
from stream.core.ratio import Ratio
from stream.core.row_codec import RowCodec
from tests.toy.events import ToyThrown
from tests.toy.fold import WINDOWS, RowKey, Stand, Throws, ThrowsRow, ToyFold

HIT_RATIO = Ratio(lambda throws: (throws.hits, throws.thrown))


def _judge(_: Reading[Stand], ratios: Sequence[float | None]) -> Sequence[State]:
    return [kept_above(ratio, 0.5) for ratio in ratios]


THROWS: RowCodec[RowKey, ThrowsRow] = RowCodec(RowKey, ThrowsRow, version=1, oldest=1)

FAMILY: Family[Stand] = Family(
    name="toys",
    summary="Rings that were thrown.",
    rows="stands",
    keyed_by="`tenant/queue`, such as `fair/red`.",
    events=(ToyThrown,),
    tables={"throws": THROWS},
    new_fold=lambda _: ToyFold(),
    snapshot=Stand,
    counts=Throws,
    windows=WINDOWS,
    labels=("tenant", "queue"),
    figures=(
        Figure(
            metric=counter("toy_thrown_total", "rings", ("tenant", "queue"), "Rings thrown."),
            section="toys",
            column=lambda reading, _: counted_ever(reading, Throws).thrown,
        ),
        Figure(
            metric=gauge("toy_window_thrown", "rings", ("tenant", "queue", "window"), "Rings thrown; in the window."),
            section="toys",
            column=lambda reading, window: counted_in(reading, Throws, window).thrown,
            show=Show(name="thrown", format="count", title="thrown", tile="small", summary="sum"),
        ),
        Figure(
            metric=gauge("toy_hit_ratio", "ratio", ("tenant", "queue", "window"), "Share of the rings that hit."),
            section="toys",
            column=lambda reading, window: HIT_RATIO.of_each(counted_in(reading, Throws, window)),
            show=Show(
                name="hit_ratio",
                format="level",
                title="hits",
                judged_as="hits",
                judge=_judge,
                signed=False,
                tile="large",
                notes=(ShownNote(word="of_thrown", blanks={"thrown": "count"}),),
            ),
        ),
    ),
    columns=("thrown", "hit_ratio"),
    now=("hit_ratio",),
    words="tests.toy",
)
