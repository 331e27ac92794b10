"""
Decodes and folds a quarter of a year of surveys of some queues, and tells how fast, and what one queue keeps.

`python -m bench.surveys_once`
"""

import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from stream.core.cloudevents import Event, encode
from stream.families.registry import DECODER
from stream.families.surveys.events import SurveyAnswered, SurveyInvited
from stream.families.surveys.family import FAMILY
from stream.families.surveys.fold import SurveysFold
from stream.families.surveys.payloads import InvitationData, SurveyAnswerData

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
QUEUES = 50
SURVEYS = 100_000
BATCH = 2000


def told(number: int, days: float, queues: int, seed: int = 1) -> Iterator[Event]:
    """Yield surveys of some days in the order of time; of three that are sent one is answered, soon or hours later."""
    chance = random.Random(seed)
    answers: list[tuple[datetime, SurveyAnswered]] = []
    for n in range(number):
        at = FIRST + timedelta(days=days) * n / number
        while answers and answers[0][0] <= at:
            yield answers.pop(0)[1]
        place = {"queue": f"queue-{n % queues}", "channel": "chat", "kind": ("csat", "nps", "ces")[n % 3]}
        envelope = {"source": "/surveys", "subject": f"survey-{n:08}", "specversion": "1.0", "tenantid": "acme"}
        customer = f"customer-{chance.randrange(number // 3)}"
        yield SurveyInvited(id=f"i-{n}", time=at, data=InvitationData(**place, customer=customer), **envelope)
        if n // 3 % 3 == 0:
            later = at + timedelta(hours=20) * min(1, days)
            data = SurveyAnswerData(**place, score=chance.randint(1, 5), scale="1-5" if n % 3 != 1 else "0-10")
            answers.append((later, SurveyAnswered(id=f"a-{n}", time=later, data=data, **envelope)))
    yield from (one for _, one in answers)


def folded(events: list[Event]) -> SurveysFold:
    """Fold them in batches, with a checkpoint after every fifty."""
    fold = SurveysFold()
    for number, start in enumerate(range(0, len(events), BATCH)):
        batch = events[start : start + BATCH]
        fold.apply(batch, range(start, start + len(batch)))
        if number % 50 == 49:
            fold.settle()
            fold.committed(start)
            for rows in fold.tables.values():
                rows.drain_changed()
    fold.settle()
    return fold


def speed(days: float, what: str) -> None:
    """Say how fast one processor decodes and folds."""
    records = [encode(event) for event in told(SURVEYS, days, QUEUES)]
    gc.disable()
    decoding, folding = [], []
    for _ in range(5):
        begin = time.perf_counter()
        events = [DECODER.decode(record) for record in records]
        middle = time.perf_counter()
        folded(events)
        decoding.append(middle - begin)
        folding.append(time.perf_counter() - middle)
    gc.enable()
    decode, fold = (min(of) / len(records) * 1e6 for of in (decoding, folding))
    rate = 1e6 / (decode + fold)
    print(f"{what}, {len(records)} events: decode {decode:.2f} us, fold {fold:.2f} us, {rate:,.0f} events/s")


def size() -> None:
    """Say how many bytes one queue keeps that has counted on each of 182 days, and what each survey adds."""
    for surveys, days in ((182, 182), (10_000, 90)):
        events = [DECODER.decode(encode(event)) for event in told(surveys, days, 1)]
        gc.collect()
        tracemalloc.start()
        fold = folded(events)
        del events
        gc.collect()
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        told_of = []
        for name, rows in fold.tables.items():
            codec = FAMILY.tables[name]
            size = sum(len(codec.encode_key(key)) + len(codec.encode_row(row)) for key, row in rows.items())
            told_of.append(f"{name} {len(rows)} rows, {size:,} bytes")
        print(f"{surveys} surveys in {days} days: {memory:,} bytes of memory; changelogs: {'; '.join(told_of)}")
        print(f"  its surveys as a recovery reads them: {read_again(fold):,} bytes of memory")


def read_again(fold: SurveysFold) -> int:
    """Return how many bytes of memory the surveys take that come from a changelog."""
    codec = FAMILY.tables["surveys"]
    written = [(codec.encode_key(key), codec.encode_row(row)) for key, row in fold.tables["surveys"].items()]
    gc.collect()
    tracemalloc.start()
    keys, rows = (codec.decode_keys([key for key, _ in written]), codec.decode_rows([row for _, row in written]))
    read = dict(zip(keys, rows, strict=True))
    del keys, rows
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(read) == len(written)
    return memory


if __name__ == "__main__":
    speed(0.005, "as they happen")
    speed(90, "of a quarter of a year")
    size()
    sys.exit(0)
