"""What sources of shops have in common: how money is written, whose an order is, and how events are called."""
