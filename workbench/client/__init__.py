"""How other programs speak to a gateway: our own HTTP API, from the other side.

What the gateway says comes back as plain JSON, and what it refuses as the very error that was
raised there. Nothing of the server may enter here: whoever imports this needs an address, a token
and Python's own library.
"""
