"""Holds a `--query` to the description of what an operation answers.

A wrong name in JMESPath is no error: it is null, or an empty list. So the expression is walked with the shape of the answer in place of
an answer, and each name has to be there, in filters, too.
"""

from dataclasses import dataclass

import jmespath


@dataclass
class Many:
    """A list that the expression makes, of what has this shape."""

    member: object
    type_name: str = "list"
    name: str = "a list"


class Absent(Exception):
    """A name that the answer does not have, or a value that it cannot have."""


def check(expression, shape):
    """Raises `Absent` when the expression asks for what an answer of this shape never has."""
    walk(jmespath.compile(expression).parsed, shape)


def walk(node, shape):
    """Returns the shape of what a part of the expression yields; `None` where it is made up by the expression itself."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return member(shape, node["value"])
    if kind in ("subexpression", "index_expression", "pipe"):
        left = walk(children[0], shape)
        return walk(children[1], left)
    if kind in ("projection", "filter_projection", "value_projection"):
        element = element_of(walk(children[0], shape))
        if kind == "filter_projection":
            walk(children[2], element)
        return Many(walk(children[1], element))
    if kind == "flatten":
        of = walk(children[0], shape)
        return of.member if getattr(element_of(of), "type_name", "") == "list" else of
    if kind == "index":
        return element_of(shape)
    if kind in ("slice", "identity", "current"):
        return shape
    if kind == "comparator":
        compare(walk(children[0], shape), children[1])
        return None
    if kind == "literal":
        return None
    # Functions, lists, objects, and, or, not: all that they are made of has to be there.
    for child in children:
        walk(child, shape)
    return None


def member(shape, name):
    if shape is not None and shape.type_name == "structure" and name in shape.members:
        return shape.members[name]
    if shape is not None and shape.type_name == "map":
        return shape.value
    raise Absent(f"{name} is not in {'what the expression made' if shape is None else shape.name}")


def element_of(shape):
    if shape is None or shape.type_name not in ("list", "map"):
        raise Absent(f"{'what the expression made' if shape is None else shape.name} is no list")
    return shape.member if shape.type_name == "list" else shape.value


def compare(shape, literal):
    values = getattr(shape, "enum", None)
    if values and literal["type"] == "literal" and literal["value"] not in values:
        raise Absent(f"{literal['value']} is none of {', '.join(values)}")
