"""The bytes of the rows of contacts."""

from collections.abc import Sequence

from stream.core.row_codec import RowCodec
from stream.families.contacts.fold import TallyKey
from stream.families.contacts.phases import EpisodeKey, EpisodeRow
from stream.families.contacts.segment import Segment, share_limits
from stream.families.contacts.tally import TallyRow

__all__ = ["SEGMENTS", "TALLIES"]


class _EpisodeCodec(RowCodec[EpisodeKey, EpisodeRow]):
    """Segments share their limits again once they are read, as they did when they were judged."""

    def decode_rows(self, data: Sequence[bytes]) -> list[EpisodeRow]:
        rows = super().decode_rows(data)
        for row in rows:
            if isinstance(row, Segment) and row.limits is not None:
                row.limits = share_limits(row.limits)
        return rows


# Version 2 is that of the first release: every version since then is read (docs/decisions/0014-*.md).
TALLIES: RowCodec[TallyKey, TallyRow] = RowCodec(TallyKey, TallyRow, version=3, oldest=2)
SEGMENTS: RowCodec[EpisodeKey, EpisodeRow] = _EpisodeCodec(EpisodeKey, EpisodeRow, version=2, oldest=2)
