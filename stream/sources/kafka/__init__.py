"""Topics of somebody else's Kafka, read as a source."""
