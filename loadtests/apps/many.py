"""An application of 500 routes in 50 modules, as source: the same for Photon and for FastAPI.

Each module is one resource with ten routes and four models: typed path and query values, bodies
with constraints, declared responses. It is written into a folder, so that the imports are real.
"""

from pathlib import Path

RESOURCES = 50
ROUTES_OF_EACH = 10
PACKAGE = "manyroutes"
APP = f"{PACKAGE}.main:app"

PHOTON_HEAD = """
from typing import Annotated
from msgspec import Meta as Field
from msgspec import Struct as Model
from photon import Group
router = Group("/api/{plural}", tags=["{plural}"])
"""

FASTAPI_HEAD = """
from typing import Annotated
from fastapi import APIRouter
from pydantic import BaseModel as Model
from pydantic import Field
router = APIRouter(prefix="/api/{plural}", tags=["{plural}"])
"""

MODULE = '''
class {Name}In(Model):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    price: Annotated[float, Field(gt=0)]
    stock: Annotated[int, Field(ge=0)] = 0
    tags: list[str] = []


class {Name}({Name}In):
    id: int = 0


class {Name}Patch(Model):
    name: Annotated[str, Field(max_length=80)] | None = None
    price: Annotated[float, Field(gt=0)] | None = None


class {Name}Note(Model):
    text: Annotated[str, Field(min_length=1)]
    by: str = ""
    id: int = 0


@router.get("")
def list_{plural}(q: str | None = None, limit: int = 20, offset: int = 0) -> list[{Name}]:
    return [{Name}(id=offset, name=q or "lamp", price=9.5)][:limit]


@router.post("", {status}=201)
def create_{name}(item: {Name}In) -> {Name}:
    return {Name}(id=1, name=item.name, price=item.price)


@router.get("/{{id}}")
def get_{name}(id: int) -> {Name}:
    return {Name}(id=id, name="lamp", price=9.5)


@router.put("/{{id}}")
def replace_{name}(id: int, item: {Name}In) -> {Name}:
    return {Name}(id=id, name=item.name, price=item.price)


@router.patch("/{{id}}")
def change_{name}(id: int, change: {Name}Patch) -> {Name}:
    return {Name}(id=id, name=change.name or "lamp", price=change.price or 9.5)


@router.delete("/{{id}}", {status}=204)
def delete_{name}(id: int) -> None:
    """Take one away."""


@router.get("/{{id}}/notes")
def list_{name}_notes(id: int, limit: int = 20) -> list[{Name}Note]:
    return [{Name}Note(id=id, text="bright")][:limit]


@router.post("/{{id}}/notes", {status}=201)
def create_{name}_note(id: int, note: {Name}Note) -> {Name}Note:
    return note


@router.get("/{{id}}/notes/{{note_id}}")
def get_{name}_note(id: int, note_id: int) -> {Name}Note:
    return {Name}Note(id=note_id, text="bright")


@router.get("/{{id}}/stock")
def get_{name}_stock(id: int, place: str = "shop") -> dict[str, int]:
    return {{place: id}}
'''

PHOTON_MAIN = """
from photon import Photon
{imports}
app = Photon(title="Many routes")
for module in ({modules}):
    app.include(module.router)
"""

FASTAPI_MAIN = """
from fastapi import FastAPI
{imports}
app = FastAPI(title="Many routes")
for module in ({modules}):
    app.include_router(module.router)
"""

HEADS = {"photon": (PHOTON_HEAD, PHOTON_MAIN, "status")}
HEADS["fastapi"] = (FASTAPI_HEAD, FASTAPI_MAIN, "status_code")


def write(framework: str, folder: Path) -> None:
    """Write the package into `folder`.   Args: framework: a key of HEADS."""
    head, main, status = HEADS[framework]
    package = folder / PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    names = [f"lamp{number:02}" for number in range(RESOURCES)]
    for name in names:
        values = {"name": name, "Name": name.title(), "plural": f"{name}s", "status": status}
        source = head.format(**values) + MODULE.format(**values)
        (package / f"{name}.py").write_text(source)
    imports = f"from {PACKAGE} import {', '.join(names)}"
    (package / "main.py").write_text(main.format(imports=imports, modules=", ".join(names)))
