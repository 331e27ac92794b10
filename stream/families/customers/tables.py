"""The bytes of the rows of customers."""

from stream.core.row_codec import RowCodec
from stream.families.customers.cart import CartRow
from stream.families.customers.carts import CartKey
from stream.families.customers.counts import CustomerCountsRow
from stream.families.customers.fold import CountsKey, CustomerKey
from stream.families.customers.history import CustomerRow

__all__ = ["CARTS", "CUSTOMERS", "CUSTOMER_COUNTS"]

CUSTOMER_COUNTS: RowCodec[CountsKey, CustomerCountsRow] = RowCodec(CountsKey, CustomerCountsRow, version=1, oldest=1)
CUSTOMERS: RowCodec[CustomerKey, CustomerRow] = RowCodec(CustomerKey, CustomerRow, version=1, oldest=1, shared=1)
CARTS: RowCodec[CartKey, CartRow] = RowCodec(CartKey, CartRow, version=1, oldest=1, shared=1)
