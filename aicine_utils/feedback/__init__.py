"""What people do with their lists: events kept, read as signals, learned from, replayed and simulated."""
