"""Oncilla's speed beside others': cases in text files, contestants behind one interface, ratios with intervals.

What `oncilla bench` runs. docs/bench.md says what the figures mean, and how a case or a contestant is added. A package of its own rather than a part of
``oncilla``: importing that loads PyTorch, and the number of threads must be set before.
"""
