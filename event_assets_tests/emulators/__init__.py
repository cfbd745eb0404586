"""Services on this machine, for tests, each a process with a real endpoint: S3 (moto), Kinesis (kinesalite), Kafka, and
of AWS what else there is (ministack)."""
