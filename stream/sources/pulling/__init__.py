"""What runs by itself: it fetches, sends, and keeps how far it got."""
