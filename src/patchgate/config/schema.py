"""The JSON Schema of the fleet file (draft 2020-12), for editors and other people's checks.

It says what single keys may hold. What only the file as a whole shows (unknown names, lanes that are there twice) and
what only a calculation shows (days that no month has) is told by patchgate alone.
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from patchgate.config.model import FleetFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME = "fleet.schema.json"
EDITOR_LINE = f"# yaml-language-server: $schema={FILE_NAME}"
"""The first line of a fleet file whose schema lies beside it. https://github.com/redhat-developer/yaml-language-server"""


class _WithoutTitles(GenerateJsonSchema):
    """Keys speak for themselves."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def build_schema() -> dict[str, Any]:
    """The schema, as JSON data."""
    schema = FleetFile.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": DRAFT, **schema, "title": "patchgate fleet file"}


def render_schema() -> str:
    """The schema as text; the same version gives the same bytes."""
    return json.dumps(build_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
