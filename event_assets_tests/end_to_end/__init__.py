"""The platform as its users meet it: started as they start it, seen through its own doors."""
