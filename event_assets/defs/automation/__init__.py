"""When assets are brought up to date: partitions, the sensors on the stream, and schedules."""
