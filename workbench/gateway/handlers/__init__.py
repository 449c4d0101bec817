"""What each route does: read the call, ask one service, answer.

One module per noun. A handler knows no rule; what it refuses is only what cannot be read.
"""
