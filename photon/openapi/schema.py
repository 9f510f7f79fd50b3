"""Types as JSON Schemas, and the classes among them as components that are referred to.

msgspec writes JSON Schema as well (`msgspec.json.schema_components`), and what is written here is
the same in most; `msgspec.inspect`, which both stand on, does the hard part. It is written here
since one document holds the types of a whole application, and theirs ends with an exception that
names nobody where two local classes or two `Page[Item]` have one name, where a default is nothing
that JSON has, and where one type is unknown; and since Photon sends decimals as numbers.

A reference is written when a class is met and gets its name at the end, when all are known.
Source: JSON Schema 2020-12, which OpenAPI 3.1 speaks.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

import msgspec
from msgspec import inspect as kinds

from photon.openapi.defaults import json_default
from photon.openapi.names import name_all
from photon.openapi.scalars import Schema, doc_of, scalar

_CLASSES = (
    kinds.StructType,
    kinds.DataclassType,
    kinds.TypedDictType,
    kinds.NamedTupleType,
    kinds.EnumType,
)
_MAPPINGS: tuple[type, ...] = (
    kinds.DictType,
    getattr(kinds, "FrozenDictType", kinds.DictType),  # msgspec 0.21
)


class Undescribable(TypeError):
    """A type that no schema can be made of. Attributes: cls: it, or the class within it."""

    def __init__(self, cls: Any, why: str) -> None:
        super().__init__(why)
        self.cls = cls


class Schemas:
    """The schemas of one document.

    Args: own: schemas of classes that msgspec does not know.
    """

    def __init__(self, own: Mapping[type, Mapping[str, Any]] | None = None) -> None:
        self._own = own or {}
        self._components: dict[Any, Schema] = {}
        self._pending: list[kinds.Type] = []
        self._references: list[tuple[Schema, str, Any]] = []
        self._infos: dict[Any, kinds.Type] = {}

    def expect(self, types: Iterable[Any]) -> None:
        """Look at types that will be asked for, all at once."""
        # PERF: msgspec looks at a class once in a call, so that one call for all the types of
        # 500 operations takes two thirds of the time. A type it cannot take is told later.
        known = dict.fromkeys(each for each in types if isinstance(each, Hashable))
        with suppress(Exception):
            self._infos = dict(zip(known, kinds.multi_type_info(known), strict=True))

    def schema_of(self, type_: Any) -> Schema:
        """The schema of a type: one of its own each time, to which members may be added.

        Raises: Undescribable.
        """
        schema = self._schema(self.info_of(type_))
        self._write_pending()
        return schema

    def properties_of(self, type_: Any) -> tuple[dict[str, Schema], list[str]] | None:
        """The schemas of an object's fields by their names, and which are required.

        Returns: None for what has no fields of its own.   Raises: Undescribable.
        """
        kind = self.info_of(type_)
        while isinstance(kind, kinds.Metadata):
            kind = kind.type
        if not isinstance(kind, (kinds.StructType, kinds.DataclassType, kinds.TypedDictType)):
            return None
        schema = self._object(kind)
        self._write_pending()
        return schema.get("properties", {}), schema.get("required", [])

    def info_of(self, type_: Any) -> kinds.Type:
        """What msgspec knows of a type.   Raises: Undescribable."""
        try:
            if type_ in self._infos:
                return self._infos[type_]
            is_hashable = True
        except TypeError:
            is_hashable = False
        try:
            kind = kinds.type_info(type_)
        except Exception as error:  # TypeError mostly; what a broken annotation does is its own
            raise Undescribable(type_, str(error)) from error
        if is_hashable:
            self._infos[type_] = kind
        return kind

    def owns(self, cls: type) -> bool:
        """Whether the schema of a class was given."""
        return any(base in self._own for base in cls.__mro__)

    def components(self) -> dict[str, Schema]:
        """All that was referred to, by name, in alphabetical order; no type may come after it."""
        names = name_all(self._components)
        for schema, member, cls in self._references:
            schema[member] = f"#/components/schemas/{names[cls]}"
        named = {names[cls]: schema for cls, schema in self._components.items()}
        return dict(sorted(named.items()))

    # References...

    def _reference(self, kind: Any) -> Schema:
        schema: Schema = {}
        self._refer(schema, "$ref", kind)
        return schema

    def _refer(self, schema: Schema, member: str, kind: Any) -> None:
        schema[member] = ""
        self._references.append((schema, member, kind.cls))
        if kind.cls not in self._components:
            self._components[kind.cls] = {}
            self._pending.append(kind)

    def _write_pending(self) -> None:
        # Not where they are met: types may be nested, or chained, without end.
        while self._pending:
            kind: Any = self._pending.pop()
            if isinstance(kind, kinds.EnumType):
                self._components[kind.cls].update(scalar(kind) or {})
            else:
                self._components[kind.cls].update(self._object(kind))

    # What has parts...

    def _schema(self, kind: Any) -> Schema:
        extra: Schema = {}
        while isinstance(kind, kinds.Metadata):
            extra = {**(kind.extra_json_schema or {}), **extra}
            kind = kind.type
        if isinstance(kind, _CLASSES):
            schema = self._reference(kind)
        elif (plain := scalar(kind)) is not None:
            schema = plain
        elif isinstance(kind, kinds.UnionType):
            schema = self._union(kind)
        elif isinstance(kind, kinds.CollectionType):
            schema = self._list(kind)
        elif isinstance(kind, kinds.TupleType):
            schema = self._tuple(kind)
        elif isinstance(kind, _MAPPINGS):
            schema = self._mapping(kind)
        else:
            return {**self._foreign(kind, extra), **deepcopy(extra)}
        if extra:
            schema.update(deepcopy(extra))
        return schema

    def _foreign(self, kind: Any, extra: Schema) -> Schema:
        cls = getattr(kind, "cls", kind)
        for base in getattr(cls, "__mro__", ()):  # an Ext has no class
            if base in self._own:
                return deepcopy(dict(self._own[base]))  # members may be added to it
        if not extra:
            raise Undescribable(cls, f"msgspec does not know the type {_shown(cls)}")
        return {}

    def _list(self, kind: kinds.CollectionType) -> Schema:
        schema: Schema = {"type": "array", "items": self._schema(kind.item_type)}
        _put(schema, "maxItems", kind.max_length)
        _put(schema, "minItems", kind.min_length)
        if isinstance(kind, (kinds.SetType, kinds.FrozenSetType)):
            schema["uniqueItems"] = True
        return schema

    def _tuple(self, kind: kinds.TupleType) -> Schema:
        length = len(kind.item_types)
        schema: Schema = {"type": "array", "minItems": length, "maxItems": length}
        if length:
            schema["prefixItems"] = [self._schema(item) for item in kind.item_types]
            schema["items"] = False
        return schema

    def _mapping(self, kind: Any) -> Schema:
        schema: Schema = {"type": "object"}
        if keys := self._keys(kind.key_type):
            schema["propertyNames"] = keys
        schema["additionalProperties"] = self._schema(kind.value_type)
        _put(schema, "maxProperties", kind.max_length)
        _put(schema, "minProperties", kind.min_length)
        return schema

    def _keys(self, kind: Any) -> Schema:
        """What holds of the keys, which are texts in JSON whatever they are here."""
        while isinstance(kind, kinds.Metadata) and not kind.extra_json_schema:
            kind = kind.type
        if isinstance(kind, kinds.IntType):
            return {"pattern": "^-?(0|[1-9][0-9]*)$"}
        if isinstance(kind, kinds.LiteralType):
            return {"enum": [str(value) for value in kind.values]}
        if isinstance(kind, kinds.EnumType):
            return {"enum": [str(member.value) for member in kind.cls]}
        if isinstance(kind, (kinds.FloatType, kinds.DecimalType, kinds.UnionType)):
            return {}
        keys = self._schema(kind)
        keys.pop("type", None)
        return keys

    def _union(self, kind: kinds.UnionType) -> Schema:
        structs: list[kinds.StructType] = []
        others: list[kinds.Type] = []
        nothing: list[kinds.Type] = []
        for member in kind.types:
            real = member
            while isinstance(real, kinds.Metadata):
                real = real.type
            if isinstance(real, kinds.StructType) and not real.array_like:
                structs.append(real)
            else:
                (nothing if isinstance(real, kinds.NoneType) else others).append(member)
        options = [self._schema(member) for member in others]
        if len(structs) > 1:
            tagged = self._tagged(structs)
            if not options and not nothing:
                return tagged
            options.append(tagged)
        else:
            options += [self._schema(struct) for struct in structs]
        return {"anyOf": options + [self._schema(member) for member in nothing]}

    def _tagged(self, structs: list[kinds.StructType]) -> Schema:
        schema: Schema = {"oneOf": [self._reference(struct) for struct in structs]}
        # OpenAPI 3.1.0 §4.8.25 takes only texts as values of a discriminator.
        if all(isinstance(struct.tag, str) for struct in structs):
            mapping: Schema = {}
            for struct in structs:
                self._refer(mapping, str(struct.tag), struct)
            schema["discriminator"] = {"propertyName": structs[0].tag_field, "mapping": mapping}
        return schema

    # What has fields...

    def _object(self, kind: Any) -> Schema:
        cls = getattr(kind.cls, "__origin__", kind.cls)
        schema: Schema = {"title": _shown(kind.cls)}
        if doc := doc_of(cls):
            schema["description"] = doc
        fields = {field.encode_name: self._field(field) for field in kind.fields}
        required = [field.encode_name for field in kind.fields if field.required]
        tag_field = getattr(kind, "tag_field", None)
        if tag_field is not None:
            tag = {"type": "string" if isinstance(kind.tag, str) else "integer", "const": kind.tag}
            fields = {tag_field: tag, **fields}
            required.insert(0, tag_field)
        is_closed = getattr(kind, "forbid_unknown_fields", False)
        if isinstance(kind, kinds.NamedTupleType) or getattr(kind, "array_like", False):
            # Those that may be left out come last, but for Structs with kw_only fields.
            left_out = list(fields)
            while left_out and left_out[-1] not in required:
                left_out.pop()
            schema.update(type="array", prefixItems=list(fields.values()), minItems=len(left_out))
            if is_closed or isinstance(kind, kinds.NamedTupleType):
                schema["maxItems"] = len(fields)
            return schema
        schema.update(type="object", properties=fields)
        if required:
            schema["required"] = required
        if is_closed:
            schema["additionalProperties"] = False
        return schema

    def _field(self, field: kinds.Field) -> Schema:
        schema = self._schema(field.type)
        if field.required:
            return schema
        default = field.default
        if default is msgspec.NODEFAULT and field.default_factory in (list, dict, set, bytearray):
            default = field.default_factory()
        if default is not msgspec.NODEFAULT and default is not msgspec.UNSET:
            value = json_default(default)
            if value is not msgspec.UNSET:
                schema.setdefault("default", value)
        return schema


def _put(schema: Schema, member: str, value: Any) -> None:
    if value is not None:
        schema[member] = value


def _shown(cls: Any) -> str:
    """Such as "Page[Item]"."""
    arguments = getattr(cls, "__args__", ())
    name = getattr(getattr(cls, "__origin__", cls), "__name__", None) or str(cls)
    return f"{name}[{', '.join(map(_shown, arguments))}]" if arguments else name
