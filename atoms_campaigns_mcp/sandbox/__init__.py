"""A faithful emulator of the Atoms REST API: an ASGI app on SQLite, independent of our client.

`world.World` holds the state and the virtual clock, `app.create_app` serves it.
"""
