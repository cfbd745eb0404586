"""The web SDK in a real browser, against the real collector. Its unit tests are beside it, in `web-sdk/test/`."""
