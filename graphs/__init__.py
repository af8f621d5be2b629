"""The graph view of complainant, right and seller; it knows nothing of the engine."""

from __future__ import annotations

from .view import Edge, GraphView, Index, KindShape, Node, Series, first_place

__all__ = ["Edge", "GraphView", "Index", "KindShape", "Node", "Series", "first_place"]
