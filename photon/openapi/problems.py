"""The answers that the framework gives itself: problems (RFC 9457), as documents show them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from photon.http.problems import PROBLEM
from photon.http.status import reason_phrase
from photon.openapi.names import plain_name
from photon.openapi.schema import Schemas


class Problem(Struct):
    """What went wrong. There may be further members, by the kind of the problem (RFC 9457)."""

    status: Annotated[int, Meta(ge=400, le=599, description="The status of the response.")]
    title: Annotated[str, Meta(description="The kind of problem.")]
    detail: Annotated[str, Meta(description="What is wrong in this very case.")] | UnsetType = UNSET
    type: (
        Annotated[
            str,
            Meta(
                description="The kind of problem as a URI; about:blank when left out.",
                extra_json_schema={"format": "uri-reference"},
            ),
        ]
        | UnsetType
    ) = UNSET
    instance: (
        Annotated[
            str,
            Meta(
                description="This very case as a URI.",
                extra_json_schema={"format": "uri-reference"},
            ),
        ]
        | UnsetType
    ) = UNSET


class InvalidValue(Struct):
    """One value of the request that is not what is expected."""

    loc: Annotated[
        list[str | int],
        Meta(description="Where it stands: its source, then names and indexes.", min_length=1),
    ]
    msg: Annotated[str, Meta(description="What is wrong with it, for people.")]
    type: Annotated[str, Meta(description="What is wrong with it, for programs.")]


class ValidationProblem(Problem, kw_only=True):
    """Values of the request are not what is expected."""

    errors: list[InvalidValue]


def component_name(status: int | None) -> str:
    """Under which the response stands in components; None for any status."""
    return (
        "Problem" if status is None else plain_name(reason_phrase(status).title()).replace("_", "")
    )


def problem_response(status: int | None, schemas: Schemas) -> dict[str, Any]:
    """The Response Object of a problem."""
    type_ = ValidationProblem if status == 422 else Problem
    description = "Any other problem" if status is None else reason_phrase(status)
    return {
        "description": description,
        "content": {PROBLEM: {"schema": schemas.schema_of(type_)}},
    }
