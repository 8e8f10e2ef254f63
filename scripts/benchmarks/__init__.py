"""One module per benchmark; `./scripts/bench NAME` runs it on a database of its own.

A module has ``ABOUT`` (what it does, in a sentence or two), ``GOALS`` (figure: :class:`Goal`), and
``run(*, progress) -> Mapping[str, float | int | str]``, which answers the figures.
"""
