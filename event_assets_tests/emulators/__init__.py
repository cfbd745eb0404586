"""AWS on this machine, for tests: S3 by moto, Kinesis by kinesalite, each a process with a real HTTP endpoint."""
