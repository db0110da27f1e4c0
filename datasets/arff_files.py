"""ARFF as liac-arff reads it, but for how attributes are declared.

The regular expression by which liac-arff tells whether braces hold a list of values takes time
exponential in their number where they do not, and on some lists that are well formed.
"""

import re

import arff

_QUOTED = r"""\"(?:[^"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"""
_VALUE = rf"{_QUOTED}|[^,\s\"'{{}}]++"
_LIST = re.compile(rf"\{{(?:\s*+(?:{_VALUE})?+\s*+,)*+\s*+(?:{_VALUE})?+\s*+\}}")
_ATTRIBUTE = re.compile(rf"@attribute\s++({_QUOTED}|[^{{}}%,\s]++)\s*+(.+)", re.IGNORECASE)
# liac-arff cuts the decimals off in a column of integers.
_KINDS = {"NUMERIC": "NUMERIC", "REAL": "REAL", "INTEGER": "REAL", "STRING": "STRING"}


class Decoder(arff.ArffDecoder):
    """Reads a file in time proportional to its length."""

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
    """As it would be read in a row."""
    if "\\" not in value:
        return value[1:-1]
    return arff.loads(f"@relation one\n@attribute value string\n@data\n{value}")["data"][0][0]


def _number_or_text(kind):
    if kind.upper() not in _KINDS:
        raise arff.BadAttributeType()
    return _KINDS[kind.upper()]
