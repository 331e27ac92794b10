"""
What is used of aiokafka and Faust without being public: it may move with any version.

`pyproject.toml` bounds these versions from above. Whoever raises the bound learns here what has moved, and from the
tests on a broker whether it still means the same.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import aiokafka
import faust
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState, TopicPartitionState
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from faust.tables import TableManager
from faust.transport.drivers import aiokafka as driver
from packaging.requirements import Requirement

from stream.runtime.checkpoint.tables import PromptTableManager, RowTable
from stream.runtime.kafka.consumer_thread import ConsumerThread
from stream.runtime.kafka.transport import Consumer, Producer, Transport
from stream.runtime.worker import StreamApp
from stream.security.kafka_security import KafkaSecurity
from tests.house.tree import ROOT, modules_of, parsed

PRIVATE: dict[str, type] = {
    "_aborted_producers": fetcher.PartitionRecords,
    "_batches": MessageAccumulator,
    "_buffer": _DefaultRecordBatchPy,
    "_client": aiokafka.AIOKafkaConsumer,
    "_closed": aiokafka.AIOKafkaProducer,
    "_conns": AIOKafkaClient,
    "_consume_aborted_up_to": fetcher.PartitionRecords,
    "_contains_abort_marker": fetcher.PartitionRecords,
    "_coordinator": aiokafka.AIOKafkaConsumer,
    "_crashed": faust.App,
    "_create_fetch_waiter": fetcher.Fetcher,
    "_do_commit_offsets": GroupCoordinator,
    "_drain_waiter": MessageBatch,
    "_fetch_max_wait_ms": aiokafka.AIOKafkaConsumer,
    "_fetch_min_bytes": aiokafka.AIOKafkaConsumer,
    "_fetcher": aiokafka.AIOKafkaConsumer,
    "_isolation_level": aiokafka.AIOKafkaConsumer,
    "_last_fetch_ended": SubscriptionState,
    "_maybe_uncompress": _DefaultRecordBatchPy,
    "_message_accumulator": aiokafka.AIOKafkaProducer,
    "_metadata_update": AIOKafkaClient,
    "_next_slice": _MemoryRecordsPy,
    "_num_records": _DefaultRecordBatchPy,
    "_partition_records": fetcher.FetchResult,
    "_pending_batches": MessageAccumulator,
    "_pos": _DefaultRecordBatchPy,
    "_read_msg": _DefaultRecordBatchPy,
    "_records": fetcher.Fetcher,
    "_records_iterator": fetcher.PartitionRecords,
    "_sender": aiokafka.AIOKafkaProducer,
    "_subscription": aiokafka.AIOKafkaConsumer,
    "_tp": fetcher.PartitionRecords,
    "_writer": AIOKafkaConnection,
}
"""By name, where it is."""

UNDOCUMENTED = [
    (AIOKafkaClient, "cluster"),
    (GroupCoordinator, "check_errors"),
    (GroupCoordinator, "ensure_coordinator_known"),
    (GroupCoordinator, "fetch_committed_offsets"),
    (GroupCoordinator, "generation"),
    (MessageAccumulator, "fail_all"),
    (Sender, "sender_task"),
    (TopicPartitionState, "highwater"),
    (TopicPartitionState, "lso"),
    *((AIOKafkaClient, f"_{option}") for option in ("security_protocol", "ssl_context", "sasl_mechanism")),
    *((AIOKafkaClient, f"_sasl_{option}") for option in ("plain_username", "plain_password", "oauth_token_provider")),
]
"""Public by their names, on objects that are not; and what new secrets are set to."""

OVERRIDDEN: list[tuple[type, type, set[str]]] = [
    (
        Consumer,
        driver.Consumer,
        {
            "_drain_messages",
            "_new_consumer_thread",
            "commit",
            "on_buffer_full",
            "on_partitions_assigned",
            "pause_partitions",
            "perform_seek",
            "resume_partitions",
            "verify_event_path",
            "wait_empty",
        },
    ),
    (ConsumerThread, driver.AIOKafkaConsumerThread, {"_create_worker_consumer", "on_thread_stop"}),
    (Producer, driver.Producer, {"_settings_auth", "_settings_extra", "flush", "on_stop"}),
    (Transport, driver.Transport, {"Consumer", "Producer"}),
    (StreamApp, faust.App, {"_create_directories"}),
    (RowTable, faust.Table, {"apply_changelog_batch", "on_recovery_completed", "persisted_offset"}),
    (PromptTableManager, TableManager, {"on_start"}),
]
"""Our classes, theirs, and what Faust would call no more if it called it otherwise."""

OURS = {"_before", "_workers", "_exit"}
"""Private to a class of ours, and used in it through another object; or of the system."""


def has(owner: type, name: str) -> bool:
    """Tell whether objects of a class have an attribute: of the class, or set by one of its methods."""
    if hasattr(owner, name):
        return True
    return any(re.search(rf"\bself\.{name}\b", inspect.getsource(kind)) for kind in owner.__mro__ if kind is not object)


def foreign_private_names() -> Iterator[str]:
    for path in modules_of("stream"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                owner = ast.unparse(node.value)
                if owner not in {"self", "cls", "super()"}:
                    yield node.attr


def test_this_list_is_whole() -> None:
    assert set(foreign_private_names()) - OURS == PRIVATE.keys()


@pytest.mark.parametrize(("owner", "name"), [*((owner, name) for name, owner in PRIVATE.items()), *UNDOCUMENTED])
def test_it_is_where_it_was(owner: type, name: str) -> None:
    assert has(owner, name), f"{owner.__module__}.{owner.__qualname__} has no {name} any more"


@pytest.mark.parametrize(("ours", "theirs", "names"), OVERRIDDEN, ids=[ours.__name__ for ours, _, _ in OVERRIDDEN])
def test_what_we_change_of_faust_is_still_called_so(ours: type, theirs: type, names: set[str]) -> None:
    own = {
        name for name, value in vars(ours).items() if not name.startswith("__") and (callable(value) or name in names)
    }

    assert {name for name in own if hasattr(theirs, name)} == names


def test_what_we_use_of_their_base_classes_is_still_there() -> None:
    for ours, theirs, _ in OVERRIDDEN:
        source = inspect.getsource(ours)
        for name in sorted(set(re.findall(r"\bself\.(_\w+)", source))):
            own = name in vars(ours) or re.search(rf"self\.{name}(: .+)? =|, self\.{name} =", source)
            assert own or has(theirs, name), f"{ours.__name__} uses {name}, which {theirs.__name__} has no more"


def test_the_fetcher_takes_its_reader_of_batches_from_its_module() -> None:
    assert "MemoryRecords(" in inspect.getsource(fetcher.Fetcher)
    assert hasattr(fetcher, "MemoryRecords")


def test_each_option_of_a_client_is_an_attribute_of_the_same_name(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for security in (
        KafkaSecurity(security_protocol="SSL"),
        KafkaSecurity(
            security_protocol="SASL_SSL", sasl_mechanism="PLAIN", sasl_username="x", sasl_password_file=secret
        ),
        KafkaSecurity(security_protocol="SASL_SSL", sasl_mechanism="OAUTHBEARER", sasl_token_file=secret),
    ):
        assert {f"_{name}" for name in security.client_options()} <= {name for _, name in UNDOCUMENTED}


@pytest.mark.parametrize("name", ["aiokafka", "faust-streaming"])
def test_their_versions_are_bounded_from_above(name: str) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    [bound] = [one for one in map(Requirement, wanted) if one.name == name]

    assert any(part.operator == "<" for part in bound.specifier)
    assert bound.specifier.contains(version(name))
