"""Pure Python: what one value says (a URL, an address, a user agent). No Spark, no storage."""
