"""Protocols of other SDKs: pure functions from a request to events of the contract, a module each.

No HTTP framework, no clock, no stream here: who may send, verdicts and the durable write are the collector's own.
"""
