"""The suite stands on the same test kit that plugin authors get."""

pytest_plugins = ["clientela_sdk.testing.fixtures", "pytester"]
