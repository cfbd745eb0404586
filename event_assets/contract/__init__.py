"""What an event is: its fields, its time rules, the tracking plan, and the columns of every table made from it."""
