"""One secured Apache Kafka for all tests of it."""

from collections.abc import Iterator

import pytest

from tests.security.secured import SecuredKafka, running_secured_kafka


@pytest.fixture(scope="session")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with running_secured_kafka(tmp_path_factory.mktemp("secured")) as running:
        yield running
