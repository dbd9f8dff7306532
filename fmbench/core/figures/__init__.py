"""Every figure that cells are described, judged and compared by: one file a kind, and a registry of them all.

Nobody else compares a figure's key: what differs between figures is an attribute or a method of ``Figure``.
The registry is light, as load processes read configurations by it: the statistics are imported where a method needs them.
"""
