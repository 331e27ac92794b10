"""The bytes of the rows of contacts."""

from stream.core.row_codec import RowCodec
from stream.core.sharing import shared
from stream.families.contacts.fold import TallyKey
from stream.families.contacts.phases import EpisodeKey, EpisodeRow
from stream.families.contacts.segment import Segment
from stream.families.contacts.tally import TallyRow

__all__ = ["SEGMENTS", "TALLIES"]


def _with_shared_limits(row: EpisodeRow) -> EpisodeRow:
    """Segments share their limits again once they are read, as they did when they were judged."""
    if isinstance(row, Segment) and row.limits is not None:
        row.limits = shared(row.limits)
    return row


# Version 2 is that of the first release: every version since then is read (docs/decisions/0014-*.md).
TALLIES: RowCodec[TallyKey, TallyRow] = RowCodec(TallyKey, TallyRow, version=3, oldest=2)
SEGMENTS: RowCodec[EpisodeKey, EpisodeRow] = RowCodec(
    EpisodeKey, EpisodeRow, version=3, oldest=2, share=_with_shared_limits
)
