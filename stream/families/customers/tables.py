"""The bytes of the rows of customers."""

from stream.core.row_codec import RowCodec
from stream.families.customers.cart import CartRow, with_shared_names
from stream.families.customers.counts import CustomerCountsRow
from stream.families.customers.eviction import CustomerCountsKey
from stream.families.customers.history import CustomerRow, with_shared_places

__all__ = ["CART_ROWS", "CUSTOMER_COUNTS", "CUSTOMER_ROWS"]

CUSTOMER_COUNTS: RowCodec[CustomerCountsKey, CustomerCountsRow] = RowCodec(
    CustomerCountsKey, CustomerCountsRow, version=1, oldest=1
)
CUSTOMER_ROWS: RowCodec[int, CustomerRow] = RowCodec(
    int, CustomerRow, version=1, oldest=1, shared=0, share=with_shared_places
)
CART_ROWS: RowCodec[int, CartRow] = RowCodec(int, CartRow, version=1, oldest=1, shared=0, share=with_shared_names)
