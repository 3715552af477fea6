"""Systems Manager documents: Command, Automation and ChangeCalendar, in numbered versions.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_calendar import Calendar, parse_calendar
from patchgate.emulator.ssm_constraints import (
    instant,
    matching,
    one_of,
    page,
    required,
    tag_map,
    unsupported,
    violation,
)
from patchgate.emulator.ssm_document_content import Content, parse_command, parse_content
from patchgate.emulator.ssm_owned_documents import OWNED_DOCUMENTS
from patchgate.emulator.ssm_tags import ResourceTags

NAME = r"[a-zA-Z0-9_\-.]{3,128}"
REFERENCE = r"[a-zA-Z0-9_\-.:/]{3,128}"
VERSION = r"[$]LATEST|[$]DEFAULT|[1-9][0-9]*"
RESERVED_PREFIXES = ("aws", "amazon", "amzn")
MAXIMUM_DOCUMENTS = 500
MAXIMUM_VERSIONS = 1000
EMULATED_TYPES = ("Command", "Automation", "ChangeCalendar")
_OWNED_CREATED = datetime(2016, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version; ``content`` of a Command or Automation document, ``calendar`` of a ChangeCalendar."""

    number: int
    text: str
    format: str
    created: datetime
    version_name: str = ""
    target_type: str = ""
    content: Content | None = None
    calendar: Calendar | None = None


@dataclass(slots=True)
class Document:
    """A document with its versions by number; the newest is never deleted alone while it is the default."""

    name: str
    kind: str
    owner: str
    versions: dict[int, DocumentVersion] = field(default_factory=dict)
    default: int = 1

    @property
    def latest(self) -> int:
        return max(self.versions)


def _owned(name: str) -> Document:
    raw = OWNED_DOCUMENTS[name]
    version = DocumentVersion(1, json.dumps(raw, indent=2), "JSON", _OWNED_CREATED, content=parse_command(raw))
    return Document(name, "Command", "Amazon", {1: version})


class Documents(Component):
    """The documents of every scope, and those that AWS owns."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._documents: dict[tuple[str, str], dict[str, Document]] = {}
        self._owned = {name: _owned(name) for name in OWNED_DOCUMENTS}

    # What other components ask

    def exists(self, scope: Scope, name: str) -> bool:
        """Whether ``name`` is a document of this account (AWS-owned ones are not)."""
        return name in self._documents.get(scope.key, {})

    def find(self, scope: Scope, name: str) -> Document:
        """The document by name or ARN; AwsError InvalidDocument when there is none."""
        plain = name.rsplit(":document/", 1)[-1] if name.startswith("arn:") else name
        found = self._documents.get(scope.key, {}).get(plain) or self._owned.get(plain)
        if found is None:
            raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
        return found

    def version(self, document: Document, version: str | None, version_name: str | None = None) -> DocumentVersion:
        """A version by number, ``$LATEST`` or ``$DEFAULT`` (also when None); AwsError InvalidDocumentVersion."""
        if version_name:
            named = [item for item in document.versions.values() if item.version_name == version_name]
            if not named:
                raise AwsError("InvalidDocumentVersion", f"There is no version named {version_name}.")
            return named[0]
        if version in (None, "", "$DEFAULT"):
            number = document.default
        else:
            number = document.latest if version == "$LATEST" else int(str(version))
        if number not in document.versions:
            raise AwsError("InvalidDocumentVersion", f"Document {document.name} has no version {version}.")
        return document.versions[number]

    def content(
        self, scope: Scope, name: str, version: str | None, kind: str
    ) -> tuple[Document, DocumentVersion, Content]:
        """The checked content of a ``kind`` document; AwsError InvalidDocument when it is of another type."""
        document = self.find(scope, name)
        found = self.version(document, version)
        if document.kind != kind or found.content is None:
            raise AwsError("InvalidDocument", f"Document {name} is of type {document.kind}, not {kind}.")
        return document, found, found.content

    # Operations

    @operation("CreateDocument")
    def create_document(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html"""
        required(params, "Name", "Content")
        name = str(matching(params, "Name", NAME))
        unsupported(params, "CreateDocument", "Attachments", "Requires", "DisplayName")
        if name.lower().startswith(RESERVED_PREFIXES):
            raise violation("name", name, "Member must not begin with aws, amazon or amzn")
        kind = params.get("DocumentType") or "Command"
        if kind not in EMULATED_TYPES:
            raise NotEmulatedError(f"documents of type {kind}")
        documents = self._documents.setdefault(scope.key, {})
        if name in documents:
            raise AwsError("DocumentAlreadyExists", f"Document with name {name} already exists in this account.")
        if len(documents) >= MAXIMUM_DOCUMENTS:
            raise AwsError("DocumentLimitExceeded", f"You can have at most {MAXIMUM_DOCUMENTS} documents.")
        tags = tag_map(params.get("Tags"))
        document = Document(name, kind, scope.account)
        document.versions[1] = self._build(kind, 1, params)
        documents[name] = document
        self.cloud.component(ResourceTags).put(scope, "Document", name, tags)
        self._record_calendar(scope, document)
        return {"DocumentDescription": self._describe(scope, document, document.versions[1])}

    @operation("UpdateDocument")
    def update_document(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocument.html

        The default version stays as it is.
        """
        required(params, "Name", "Content")
        unsupported(params, "UpdateDocument", "Attachments", "DisplayName")
        document = self._mine(scope, params)
        base = self.version(document, params.get("DocumentVersion") or "$LATEST")
        if base.number != document.latest:
            raise AwsError("InvalidDocumentVersion", "The document version is not the latest one.")
        number = document.latest + 1
        if len(document.versions) >= MAXIMUM_VERSIONS:
            raise AwsError("DocumentVersionLimitExceeded", f"A document has at most {MAXIMUM_VERSIONS} versions.")
        version = self._build(document.kind, number, params)
        if version.text == document.versions[document.latest].text:
            raise AwsError("DuplicateDocumentContent", "The content of the document is the latest version's.")
        names = {item.version_name for item in document.versions.values() if item.version_name}
        if version.version_name in names:
            raise AwsError("DuplicateDocumentVersionName", f"Version name {version.version_name} is taken.")
        document.versions[number] = version
        self._record_calendar(scope, document)
        return {"DocumentDescription": self._describe(scope, document, version)}

    @operation("UpdateDocumentDefaultVersion")
    def update_document_default_version(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocumentDefaultVersion.html"""
        required(params, "Name", "DocumentVersion")
        matching(params, "DocumentVersion", "[1-9][0-9]*")
        document = self._mine(scope, params)
        version = self.version(document, params["DocumentVersion"])
        document.default = version.number
        described = {"Name": document.name, "DefaultVersion": str(version.number)}
        if version.version_name:
            described["DefaultVersionName"] = version.version_name
        return {"Description": described}

    @operation("GetDocument")
    def get_document(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDocument.html"""
        document, version = self._asked(scope, params)
        if document.owner == "Amazon":
            raise NotEmulatedError(f"the content of {document.name}")
        wanted = one_of(params, "DocumentFormat", ("JSON", "YAML", "TEXT")) or version.format
        if wanted not in (version.format, "JSON"):
            raise NotEmulatedError(f"a {version.format} document as {wanted}")
        text = version.text
        if wanted != version.format:
            if version.content is None:
                raise NotEmulatedError(f"a {version.format} document as {wanted}")
            text = json.dumps(version.content.raw, indent=2)
        answer = {
            "Name": document.name,
            "CreatedDate": version.created,
            "DocumentVersion": str(version.number),
            "Status": "Active",
            "Content": text,
            "DocumentType": document.kind,
            "DocumentFormat": wanted,
        }
        return answer | ({"VersionName": version.version_name} if version.version_name else {})

    @operation("DescribeDocument")
    def describe_document(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocument.html"""
        document, version = self._asked(scope, params)
        return {"Document": self._describe(scope, document, version)}

    @operation("ListDocuments")
    def list_documents(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocuments.html"""
        unsupported(params, "ListDocuments", "DocumentFilterList")
        found = [*self._owned.values(), *self._documents.get(scope.key, {}).values()]
        for item in params.get("Filters") or ():
            found = [document for document in found if self._matches(scope, document, item)]
        shapes = [self._identify(scope, document) for document in sorted(found, key=lambda item: item.name)]
        return page(shapes, params, "DocumentIdentifiers", least=1, default=10, most=50)

    @operation("DeleteDocument")
    def delete_document(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteDocument.html"""
        required(params, "Name")
        document = self._mine(scope, params)
        if params.get("DocumentVersion") or params.get("VersionName"):
            version = self.version(document, params.get("DocumentVersion"), params.get("VersionName"))
            if version.number == document.default:
                raise AwsError("InvalidDocumentOperation", "The default version of a document cannot be deleted.")
            latest = document.latest
            del document.versions[version.number]
            if version.number == latest:
                self._record_calendar(scope, document)
            return {}
        del self._documents[scope.key][document.name]
        self.cloud.component(ResourceTags).forget(scope, "Document", document.name)
        if document.kind == "ChangeCalendar":
            self.cloud.record(scope, "CalendarDeleted", calendar=document.name)
        return {}

    @operation("GetCalendarState")
    def get_calendar_state(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html

        Of several calendars, one that is closed closes all.
        """
        required(params, "CalendarNames")
        at = instant(str(params["AtTime"]), "atTime") if params.get("AtTime") else self.cloud.now
        if not params["CalendarNames"]:
            raise violation("calendarNames", "[]", "Member must have length greater than or equal to 1")
        states = []
        for name in params["CalendarNames"]:
            document = self.find(scope, str(name))
            calendar = document.versions[document.latest].calendar
            if calendar is None:
                raise AwsError("InvalidDocumentType", f"Document {name} is not a change calendar.")
            states.append(calendar.state(at))
        closed = [change for state, change in states if state == "CLOSED"]
        changes = [change for change in closed or [change for _, change in states] if change is not None]
        answer = {"State": "CLOSED" if closed else "OPEN", "AtTime": _stamp(at)}
        return answer | ({"NextTransitionTime": _stamp(min(changes))} if changes else {})

    # Inside

    def _record_calendar(self, scope: Scope, document: Document) -> None:
        """What a change calendar says from now on: its latest version."""
        calendar = document.versions[document.latest].calendar
        if calendar is not None:
            spans = [list(event) for event in calendar.events]
            self.cloud.record(
                scope, "CalendarChanged", calendar=document.name, default=calendar.default, exceptions=spans
            )

    def _mine(self, scope: Scope, params: Params) -> Document:
        name = str(matching(params, "Name", NAME))
        found = self._documents.get(scope.key, {}).get(name)
        if found is None:
            raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
        return found

    def _asked(self, scope: Scope, params: Params) -> tuple[Document, DocumentVersion]:
        required(params, "Name")
        matching(params, "Name", REFERENCE)
        matching(params, "DocumentVersion", VERSION)
        document = self.find(scope, str(params["Name"]))
        return document, self.version(document, params.get("DocumentVersion"), params.get("VersionName"))

    def _build(self, kind: str, number: int, params: Params) -> DocumentVersion:
        text = params["Content"]
        if not isinstance(text, str) or not text:
            raise AwsError("InvalidDocumentContent", "The content of a document must not be empty.")
        calendar = kind == "ChangeCalendar"
        document_format = one_of(params, "DocumentFormat", ("JSON", "YAML", "TEXT")) or ("TEXT" if calendar else "JSON")
        if (document_format == "TEXT") != calendar:
            raise AwsError("InvalidDocumentContent", f"A document of type {kind} cannot be {document_format}.")
        return DocumentVersion(
            number,
            text,
            document_format,
            self.cloud.now,
            version_name=matching(params, "VersionName", r"[a-zA-Z0-9_\-.]{1,128}") or "",
            target_type=matching(params, "TargetType", r"\/[\w\.\-\:\/]*", longest=200) or "",
            content=None if calendar else parse_content(text, document_format, kind),
            calendar=parse_calendar(text) if calendar else None,
        )

    def _describe(self, scope: Scope, document: Document, version: DocumentVersion) -> dict[str, Any]:
        content = version.content
        described = self._identify(scope, document, version) | {
            "Hash": hashlib.sha256(version.text.encode()).hexdigest(),
            "HashType": "Sha256",
            "Status": "Active",
            "LatestVersion": str(document.latest),
            "DefaultVersion": str(document.default),
            "Parameters": [item.shape() for item in content.parameters.values()] if content else [],
        }
        return described | ({"Description": content.description} if content and content.description else {})

    def _identify(self, scope: Scope, document: Document, version: DocumentVersion | None = None) -> dict[str, Any]:
        shown = version or document.versions[document.default]
        tags = self.cloud.component(ResourceTags).listed(scope, "Document", document.name)
        identity: dict[str, Any] = {
            "Name": document.name,
            "CreatedDate": shown.created,
            "Owner": document.owner,
            "DocumentVersion": str(shown.number),
            "DocumentType": document.kind,
            "DocumentFormat": shown.format,
            "PlatformTypes": list(shown.content.platform_types) if shown.content else [],
            "Tags": tags if document.owner != "Amazon" else [],
        }
        if shown.content:
            identity["SchemaVersion"] = shown.content.schema_version
        optional = {"VersionName": shown.version_name, "TargetType": shown.target_type}
        return identity | {key: value for key, value in optional.items() if value}

    def _matches(self, scope: Scope, document: Document, item: Params) -> bool:
        key, values = str(item.get("Key", "")), [str(value) for value in item.get("Values") or ()]
        if key == "Name":
            return any(document.name.startswith(value) for value in values)
        if key == "DocumentType":
            return document.kind in values
        if key == "Owner":
            own = {"Amazon": ("Amazon",), "Self": (scope.account,), "Private": (scope.account,)}
            return any(document.owner in own.get(value, (scope.account, "Amazon")) for value in values)
        if key.startswith("tag:"):
            return self.cloud.component(ResourceTags).of(scope, "Document", document.name).get(key[4:]) in values
        if re.fullmatch(r"PlatformTypes|SearchKeyword|TargetType", key):
            raise NotEmulatedError(f"ListDocuments filtered by {key}")
        raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
