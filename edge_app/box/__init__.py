"""The running box: cameras, pipeline and delivery put together, kept alive, and given orders.

``live`` is the box itself; the others are what it does beside passing frames on: saying how it is,
obeying commands, taking a changed configuration, noticing what stands still.
"""
