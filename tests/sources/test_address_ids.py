"""An address becomes an id that tells who has the key nothing new, and everybody else nothing at all."""

from pathlib import Path

import pytest

from stream.sources.address_ids import AddressIds


@pytest.fixture
def ids(tmp_path: Path) -> AddressIds:
    (tmp_path / "key").write_text("a key of the tests\n")
    return AddressIds(tmp_path / "key")


def test_the_same_address_has_the_same_id_however_it_is_written(ids: AddressIds) -> None:
    assert ids.of("Ann.Smith@Example.org ") == ids.of("ann.smith@example.org")
    assert ids.of("ann.smith@example.org") != ids.of("ann.smyth@example.org")


def test_the_address_is_not_in_the_id(ids: AddressIds) -> None:
    found = ids.of("ann@example.org")

    assert found is not None
    assert len(found) == 32
    assert set(found) <= set("0123456789abcdef")


def test_another_key_has_other_ids(ids: AddressIds, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("another key\n")

    assert AddressIds(tmp_path / "other").of("ann@example.org") != ids.of("ann@example.org")


@pytest.mark.parametrize("address", [None, "", "  ", "ann", "deleted@site.invalid"])
def test_what_is_no_address_has_no_id(ids: AddressIds, address: str | None) -> None:
    assert ids.of(address) is None


def test_without_a_key_nobody_has_one() -> None:
    assert AddressIds(None).of("ann@example.org") is None
