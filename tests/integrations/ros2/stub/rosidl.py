"""Message classes as rosidl makes them for Python, of the definitions that rosbags has, and their bytes on the wire.

Fields have defaults and check what they are set to: numbers by type and range, ``byte`` as bytes of length 1, arrays of
fixed length as numpy arrays, sequences of numbers as ``array.array``, messages by class.
"""

from __future__ import annotations

import sys
from array import array
from types import ModuleType

import numpy as np
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
PACKAGES = (
    *("builtin_interfaces", "diagnostic_msgs", "geometry_msgs", "nav_msgs", "rcl_interfaces", "sensor_msgs"),
    *("std_msgs", "tf2_msgs"),
)
BASE, NAME, ARRAY, SEQUENCE = 1, 2, 3, 4
CODES = {"uint8": "B", "int8": "b", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q"}
FLOATS = {"float32": "f", "float64": "d"}
TEXTS = ("string", "wstring")
CLASSES: dict[str, type] = {}


def default(kind):
    """What a field holds before it is set."""
    node, what = kind[0].value, kind[1]
    if node == NAME:
        return CLASSES[what]()
    if node == BASE:
        name = what[0]
        if name in TEXTS:
            return ""
        return {"bool": False, "byte": b"\0"}.get(name, 0.0 if name in FLOATS else 0)
    (inner, item), count = what
    if node == ARRAY:
        return np.zeros(count, item[0])
    return array((CODES | FLOATS)[item[0]]) if numeric(inner, item) else []


def numeric(node, item):
    """Whether the items of a sequence are numbers in an array."""
    return node.value == BASE and item[0] in CODES | FLOATS


def checked(kind, value, field):
    """The value that a field is set to, as it is kept; AssertionError for one of another kind."""
    node, what = kind[0].value, kind[1]
    if node == NAME:
        assert isinstance(value, CLASSES[what]), f"The '{field}' field must be a sub message of type '{what}'"
        return value
    if node == BASE:
        return checked_value(what[0], value, field)
    (inner, item), count = what
    if node == ARRAY:
        if isinstance(value, np.ndarray):
            assert (value.dtype, value.shape) == (item[0], (count,)), f"The '{field}' array must have {count} {item[0]}"
            return value
        assert len(value) == count
        return np.array([checked_value(item[0], x, field) for x in value], item[0])
    if numeric(inner, item):
        if isinstance(value, array):
            assert value.typecode == (CODES | FLOATS)[item[0]], f"The '{field}' array.array() must have the type code"
            return value
        assert not isinstance(value, str | bytes | bytearray)
        return array((CODES | FLOATS)[item[0]], [checked_value(item[0], x, field) for x in value])
    return [checked((inner, item), x, field) for x in value]


def checked_value(name, value, field):
    """The same of one number or text."""
    if name == "bool":
        assert isinstance(value, bool), f"The '{field}' field must be of type 'bool'"
    elif name == "byte":
        assert isinstance(value, bytes), f"The '{field}' field must be of type 'bytes'"
        assert len(value) == 1, f"The '{field}' field must have length 1"
    elif name in TEXTS:
        assert isinstance(value, str), f"The '{field}' field must be of type 'str'"
    elif name in FLOATS:
        assert isinstance(value, float), f"The '{field}' field must be of type 'float'"
    else:
        assert isinstance(value, int), f"The '{field}' field must be of type 'int'"
        info = np.iinfo(name)
        assert info.min <= value <= info.max, f"The '{field}' field must be in its range"
    return value


class Message:
    """Fields as properties would check them."""

    fields: dict[str, tuple]
    typename: str

    def __init__(self, **values):
        assert set(values) <= set(self.fields), f"Invalid arguments passed to constructor: {sorted(values)}"
        for name, kind in self.fields.items():
            setattr(self, name, values[name] if name in values else default(kind))

    def __setattr__(self, name, value):
        if name not in self.fields:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__setattr__(self, name, checked(self.fields[name], value, name))


def serialize(message):
    """The bytes on the wire."""
    return bytes(STORE.serialize_cdr(to_rosbags(message), message.typename))


def deserialize(data, kind):
    """A message of its bytes."""
    return from_rosbags(STORE.deserialize_cdr(data, kind.typename))


def to_rosbags(value):
    """A message, or what a field holds, as rosbags has it."""
    if isinstance(value, Message):
        return STORE.types[value.typename](**{name: to_rosbags(getattr(value, name)) for name in value.fields})
    if isinstance(value, list):
        return [to_rosbags(x) for x in value]
    if isinstance(value, array):
        return np.array(value)
    return value[0] if isinstance(value, bytes) else value


def from_rosbags(message):
    """A message of rosbags, as one of ROS."""
    kind = CLASSES[message.__msgtype__]
    return kind(**{name: of_rosbags(kind.fields[name], getattr(message, name)) for name in kind.fields})


def of_rosbags(kind, value):
    node, what = kind[0].value, kind[1]
    if node == NAME:
        return from_rosbags(value)
    if node == BASE:
        return bytes([value]) if what[0] == "byte" else value
    (inner, item), _ = what
    if node == SEQUENCE and numeric(inner, item):
        sequence = array((CODES | FLOATS)[item[0]])
        sequence.frombytes(value.tobytes())
        return sequence
    return value if node == ARRAY else [of_rosbags((inner, item), x) for x in value]


for _name, (_constants, _fields) in STORE.fielddefs.items():
    _package, _, _short = _name.partition("/msg/")
    if _package in PACKAGES:
        _constant = {n: bytes([v]) if t == "byte" else v for n, t, v in _constants}
        CLASSES[_name] = type(_short, (Message,), {"fields": dict(_fields), "typename": _name, **_constant})
        _module = sys.modules.setdefault(f"{_package}.msg", ModuleType(f"{_package}.msg"))
        _parent = sys.modules.setdefault(_package, ModuleType(_package))
        _parent.msg = _module
        setattr(_module, _short, CLASSES[_name])
