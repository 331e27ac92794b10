"""Requests that systems send to the gateway's webhooks: who may, what they hold, and how they are answered."""
