"""The feedback loop: events are stored, become signals, and change the lists."""
