"""Shopify: carts, checkouts, orders and refunds, as its webhooks tell them."""
