"""The bytes of the rows of customers."""

from stream.core.row_codec import RowCodec
from stream.families.customers.cart import CartRow
from stream.families.customers.counts import CustomerCountsRow
from stream.families.customers.digested import DigestKey
from stream.families.customers.eviction import CustomerCountsKey
from stream.families.customers.history import CustomerRow

__all__ = ["CART_ROWS", "CUSTOMER_COUNTS", "CUSTOMER_ROWS"]

CUSTOMER_COUNTS: RowCodec[CustomerCountsKey, CustomerCountsRow] = RowCodec(
    CustomerCountsKey, CustomerCountsRow, version=1, oldest=1
)
CUSTOMER_ROWS: RowCodec[DigestKey, CustomerRow] = RowCodec(DigestKey, CustomerRow, version=1, oldest=1, shared=1)
CART_ROWS: RowCodec[DigestKey, CartRow] = RowCodec(DigestKey, CartRow, version=1, oldest=1, shared=1)
