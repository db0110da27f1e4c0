"""A reader of ARFF files: that of liac-arff, with its own parser of attribute declarations.

In liac-arff, a regular expression recognizes the list of values of a nominal attribute. It takes
exponential time on malformed lists, and on some valid ones.
"""

import re

import arff

_QUOTED = r"""\"(?:[^"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"""
_VALUE = rf"{_QUOTED}|[^,\s\"'{{}}]++"
_LIST = re.compile(rf"\{{(?:\s*+(?:{_VALUE})?+\s*+,)*+\s*+(?:{_VALUE})?+\s*+\}}")
_ATTRIBUTE = re.compile(rf"@attribute\s++({_QUOTED}|[^{{}}%,\s]++)\s*+(.+)", re.IGNORECASE)
# For INTEGER, liac-arff would truncate values that have decimals.
_KINDS = {"NUMERIC": "NUMERIC", "REAL": "REAL", "INTEGER": "REAL", "STRING": "STRING"}


class Decoder(arff.ArffDecoder):
    """Reads a file in linear time."""

    def _decode_attribute(self, s):
        declared = _ATTRIBUTE.fullmatch(s)
        if declared is None:
            raise arff.BadAttributeFormat()
        name, kind = declared.groups()
        return name.strip("\"'"), _values(kind) if kind.startswith("{") else _number_or_text(kind)


def _values(listed):
    values = re.findall(_VALUE, listed) if _LIST.fullmatch(listed) else []
    if not values:
        raise arff.BadAttributeType()
    return [_unquoted(value) if value[0] in "\"'" else value for value in values]


def _unquoted(value):
    """The value as liac-arff reads it in a row."""
    if "\\" not in value:
        return value[1:-1]
    return arff.loads(f"@relation one\n@attribute value string\n@data\n{value}")["data"][0][0]


def _number_or_text(kind):
    if kind.upper() not in _KINDS:
        raise arff.BadAttributeType()
    return _KINDS[kind.upper()]
