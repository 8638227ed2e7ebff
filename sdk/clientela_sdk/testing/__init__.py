"""What the tests of a plugin stand on.

In the `conftest.py` at the top of the tests write

    pytest_plugins = ["clientela_sdk.testing.fixtures"]

and every test may ask for an app, a record, somebody who acts, a held clock, the command line or an HTTP client.
"""
