"""What happens when partitions come and go faster than they are recovered."""

from stream.runtime.kafka.transport import Start
from tests.runtime.fakes import MemoryLog
from tests.runtime.lives import PARTITION, Life, records_of
from tests.runtime.toy import Ping


async def test_a_recovery_that_ends_after_its_partitions_were_given_up_starts_nothing() -> None:
    life = Life(MemoryLog(), records_of([Ping("a", number) for number in range(5)]))
    life.join()
    wanted = life.listener.expect([PARTITION])
    await life.listener.give_up(lost=True)

    life.listener.start(dict.fromkeys(wanted, Start(0, 1, 5)))

    assert not life.worker.feed.ready
    assert life.worker.folds() == []
    assert life.begin().worker.feed.ready
