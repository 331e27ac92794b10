"""Digests of customers: the same for the same key, of use to nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.family import FoldOptions
from stream.core.identity import NO_SECRET, CustomerKeys, opaque_id

OLD, NEW = b"o" * 64, b"n" * 64

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def test_a_digest_stays_what_it_is_over_versions_since_rows_are_found_by_it() -> None:
    assert NO_SECRET.digest("acme", "c-1") == 518772849820524555
    assert CustomerKeys(b"k" * 64).digest("acme", "c-1") == 778494865281921745


@given(texts, texts)
def test_the_first_key_writes_and_the_others_are_found_again(tenant: str, customer: str) -> None:
    of_old, of_new = (CustomerKeys(key).digest(tenant, customer) for key in (OLD, NEW))
    both = CustomerKeys(NEW, OLD, b"")

    assert of_old != of_new
    assert both.digest(tenant, customer) == of_new
    assert both.older(tenant, customer) == (of_old, NO_SECRET.digest(tenant, customer))
    assert CustomerKeys(NEW).older(tenant, customer) == ()


@given(texts, texts, texts, texts)
def test_two_customers_have_two_digests_wherever_the_name_of_the_tenant_ends(
    tenant: str, customer: str, another_tenant: str, another: str
) -> None:
    keys = CustomerKeys(NEW)
    same = (tenant, customer) == (another_tenant, another)

    assert (keys.digest(tenant, customer) == keys.digest(another_tenant, another)) == same
    assert keys.digest(tenant, f"{customer}x") != keys.digest(f"{tenant}{customer}", "x")


def test_a_digest_is_a_secret_only_where_the_first_key_is() -> None:
    assert [CustomerKeys(*keys).secret for keys in ((NEW,), (NEW, b""), (b"", NEW))] == [True, True, False]
    assert not NO_SECRET.secret


def test_no_key_is_in_what_is_told_of_the_value() -> None:
    told = repr(FoldOptions(customer_keys=CustomerKeys(NEW, OLD)))

    assert "nnnn" not in told
    assert "oooo" not in told


@pytest.mark.parametrize(
    "told",
    [
        "8412",
        "c-5f3a9be1",
        "38640777123",
        "00123",
        " ana ",
        "cus_9s6XKzkNRiz8i3",
        "a+b",
        "+1",
        "2026-11-29-0001",
        "0001-2345-6789",
        "017-42",
    ],
)
def test_an_id_that_somebody_has_filled_in_stays_as_it_is(told: str) -> None:
    assert opaque_id(told) == told.strip()


@pytest.mark.parametrize(
    "told",
    [
        None,
        "",
        " ",
        "ann@example.org",
        "Ann <ann@example.org>",
        "+38640777123",
        " +386 (40) 777-123 ",
        "(040) 777 123",
        "tel:+38640777123",
        "TEL:040777123",
        "+386.40.777.123",
        "040 777 123",
        "040/777-123",
        "0170-1234567",
        "0170\u20111234567",
        "0170\u00a01234567",
        "00386 40 777 123",
        "ann\uff20example.org",
        "\uff0b38640777123",
    ],
)
def test_an_address_or_a_telephone_number_in_place_of_an_id_is_none(told: str | None) -> None:
    assert opaque_id(told) is None
