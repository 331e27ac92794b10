"""The same job by contact-stream and by what people would take instead, side by side: `python -m bench.peers`."""
