"""Parameter Store: create once, overwrite, read by name and by path, delete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_parameters import Parameters

START = datetime(2026, 7, 4, 19, 0, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1", "arn:aws:iam::111122223333:role/gate")


@pytest.fixture
def cloud() -> Cloud:
    return Cloud((Parameters,), start=START)


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "ssm", operation, params)


def put(cloud: Cloud, name: str, value: str = "v", **params: Any) -> dict[str, Any]:
    return call(cloud, "PutParameter", Name=name, Value=value, **({"Type": "String"} | params))


def refused(cloud: Cloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **params)
    return caught.value.code


def test_put_and_get(cloud: Cloud) -> None:
    assert put(cloud, "/patchgate/amazonlinux/prd/window-id", "mw-1") == {"Version": 1, "Tier": "Standard"}
    assert call(cloud, "GetParameter", Name="/patchgate/amazonlinux/prd/window-id")["Parameter"] == {
        "Name": "/patchgate/amazonlinux/prd/window-id",
        "Type": "String",
        "Value": "mw-1",
        "Version": 1,
        "LastModifiedDate": START,
        "ARN": "arn:aws:ssm:eu-central-1:111122223333:parameter/patchgate/amazonlinux/prd/window-id",
        "DataType": "text",
    }
    record = next(cloud.history.of("ParameterPut"))
    assert (record["name"], record["value"], record["version"]) == ("/patchgate/amazonlinux/prd/window-id", "mw-1", 1)
    assert record["principal"] == SCOPE.principal


def test_a_parameter_is_created_only_once_without_overwrite(cloud: Cloud) -> None:
    put(cloud, "/lease", "first")
    assert refused(cloud, "PutParameter", Name="/lease", Value="second", Type="String") == "ParameterAlreadyExists"
    assert refused(cloud, "PutParameter", Name="/lease", Value="x", Overwrite=False) == "ParameterAlreadyExists"
    assert call(cloud, "GetParameter", Name="/lease")["Parameter"]["Value"] == "first"
    assert len(list(cloud.history.of("ParameterPut"))) == 1


def test_overwriting_makes_versions(cloud: Cloud) -> None:
    put(cloud, "/p", "one")
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert call(cloud, "PutParameter", Name="/p", Value="two", Overwrite=True)["Version"] == 2
    newest = call(cloud, "GetParameter", Name="/p")["Parameter"]
    assert (newest["Value"], newest["Version"], newest["LastModifiedDate"]) == ("two", 2, START + timedelta(hours=1))
    older = call(cloud, "GetParameter", Name="/p:1")["Parameter"]
    assert (older["Value"], older["Selector"]) == ("one", ":1")
    assert refused(cloud, "GetParameter", Name="/p:3") == "ParameterVersionNotFound"


def test_only_a_hundred_versions_are_kept(cloud: Cloud) -> None:
    for number in range(101):
        put(cloud, "/p", str(number), Overwrite=True)
    assert refused(cloud, "GetParameter", Name="/p:1") == "ParameterVersionNotFound"
    assert call(cloud, "GetParameter", Name="/p:2")["Parameter"]["Value"] == "1"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Name": "/p", "Value": "v"}, "ValidationException"),
        ({"Name": "/p", "Value": "", "Type": "String"}, "ValidationException"),
        ({"Name": "", "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "/p", "Value": "x" * 4097, "Type": "String"}, "ValidationException"),
        ({"Name": "/p", "Value": "x" * 8193, "Type": "String", "Tier": "Advanced"}, "ValidationException"),
        ({"Name": "a/b", "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "/a b", "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "/a/", "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "ssmthing", "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "/" + "a" * 1011, "Value": "v", "Type": "String"}, "ValidationException"),
        ({"Name": "/AWS/thing", "Value": "v", "Type": "String"}, "AccessDeniedException"),
        ({"Name": "/a" * 16, "Value": "v", "Type": "String"}, "HierarchyLevelLimitExceededException"),
        ({"Name": "/p", "Value": "{{ other }}", "Type": "String"}, "ValidationException"),
        ({"Name": "/p", "Value": "v", "Type": "String", "AllowedPattern": "["}, "InvalidAllowedPatternException"),
        ({"Name": "/p", "Value": "v", "Type": "String", "AllowedPattern": "w"}, "ParameterPatternMismatchException"),
        (
            {"Name": "/p", "Value": "v", "Type": "String", "Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]},
            "ValidationException",
        ),
        ({"Name": "/p", "Value": "v", "Type": "SecureString"}, "NotEmulated"),
        ({"Name": "/p", "Value": "v", "Type": "String", "Policies": "[]"}, "NotEmulated"),
        ({"Name": "/p", "Value": "v", "Type": "String", "DataType": "aws:ec2:image"}, "NotEmulated"),
    ],
)
def test_what_cannot_be_put(cloud: Cloud, params: dict[str, Any], code: str) -> None:
    assert refused(cloud, "PutParameter", **params) == code
    assert call(cloud, "DescribeParameters")["Parameters"] == []


def test_limits_are_inclusive(cloud: Cloud) -> None:
    assert put(cloud, "/p", "x" * 4096)["Tier"] == "Standard"
    assert put(cloud, "/q", "x" * 8192, Tier="Advanced")["Tier"] == "Advanced"
    assert put(cloud, "/a" * 15)["Version"] == 1


def test_the_type_of_a_parameter_does_not_change(cloud: Cloud) -> None:
    put(cloud, "/p")
    code = refused(cloud, "PutParameter", Name="/p", Value="a,b", Type="StringList", Overwrite=True)
    assert code == "HierarchyTypeMismatchException"


def test_get_many_names_the_missing_ones(cloud: Cloud) -> None:
    put(cloud, "/a", "1")
    put(cloud, "plain", "2")
    answer = call(cloud, "GetParameters", Names=["/a", "/missing", "plain", "/a:9"])
    assert [item["Value"] for item in answer["Parameters"]] == ["1", "2"]
    assert answer["InvalidParameters"] == ["/missing", "/a:9"]
    assert refused(cloud, "GetParameters", Names=[]) == "ValidationException"
    assert refused(cloud, "GetParameters", Names=[str(n) for n in range(11)]) == "ValidationException"
    with pytest.raises(NotEmulatedError):
        call(cloud, "GetParameters", Names=["/a:label"])


def test_parameters_can_be_read_by_arn(cloud: Cloud) -> None:
    put(cloud, "/a/b", "1")
    put(cloud, "plain", "2")
    prefix = "arn:aws:ssm:eu-central-1:111122223333:parameter/"
    assert call(cloud, "GetParameter", Name=prefix + "a/b")["Parameter"]["Value"] == "1"
    assert call(cloud, "GetParameter", Name=prefix + "plain")["Parameter"]["Value"] == "2"
    assert refused(cloud, "GetParameter", Name="/nowhere") == "ParameterNotFound"


def test_by_path_one_level_or_all_ordered_by_name(cloud: Cloud) -> None:
    for name in ("/g/os/prd/c2/open", "/g/os/prd/c1/open", "/g/os/prd/freeze", "/g/os/prdx/freeze", "/g/os/prd/due"):
        put(cloud, name)

    def names(**params: Any) -> list[str]:
        return [item["Name"] for item in call(cloud, "GetParametersByPath", **params)["Parameters"]]

    assert names(Path="/g/os/prd") == ["/g/os/prd/due", "/g/os/prd/freeze"]
    assert names(Path="/g/os/prd/") == names(Path="/g/os/prd")
    assert names(Path="/g/os/prd", Recursive=True) == [
        "/g/os/prd/c1/open",
        "/g/os/prd/c2/open",
        "/g/os/prd/due",
        "/g/os/prd/freeze",
    ]
    assert names(Path="/nothing", Recursive=True) == []
    assert refused(cloud, "GetParametersByPath", Path="g/os") == "ValidationException"
    assert refused(cloud, "GetParametersByPath", Path="/g", MaxResults=11) == "ValidationException"
    with pytest.raises(NotEmulatedError):
        call(cloud, "GetParametersByPath", Path="/g", ParameterFilters=[{"Key": "Type", "Values": ["String"]}])


def test_by_path_pages_of_ten(cloud: Cloud) -> None:
    wanted = [f"/p/{n:02d}" for n in range(23)]
    for name in wanted:
        put(cloud, name)
    found: list[str] = []
    token: dict[str, Any] = {}
    sizes = []
    while True:
        answer = call(cloud, "GetParametersByPath", Path="/p", **token)
        sizes.append(len(answer["Parameters"]))
        found += [item["Name"] for item in answer["Parameters"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert found == wanted
    assert sizes == [10, 10, 3]


def test_delete(cloud: Cloud) -> None:
    put(cloud, "/a")
    put(cloud, "/b")
    assert call(cloud, "DeleteParameter", Name="/a") == {}
    assert refused(cloud, "DeleteParameter", Name="/a") == "ParameterNotFound"
    assert call(cloud, "DeleteParameters", Names=["/a", "/b"]) == {
        "DeletedParameters": ["/b"],
        "InvalidParameters": ["/a"],
    }
    assert [record["name"] for record in cloud.history.of("ParameterDeleted")] == ["/a", "/b"]
    assert put(cloud, "/a")["Version"] == 1


def test_describe_filters_and_tags(cloud: Cloud) -> None:
    put(cloud, "/g/a", Tags=[{"Key": "team", "Value": "x"}], Description="words")
    put(cloud, "/g/b/c", "1,2", Type="StringList")
    parameters = cloud.component(Parameters)
    assert parameters.tags(SCOPE, "/g/a") == {"team": "x"}
    with pytest.raises(AwsError, match="InvalidResourceId"):
        parameters.tags(SCOPE, "/nowhere")

    def names(key: str, option: str | None, *values: str) -> list[str]:
        entry: dict[str, Any] = {"Key": key, "Values": list(values)} | ({"Option": option} if option else {})
        answer = call(cloud, "DescribeParameters", ParameterFilters=[entry])
        return [item["Name"] for item in answer["Parameters"]]

    assert names("Path", None, "/g") == ["/g/a"]
    assert names("Path", "Recursive", "/g") == ["/g/a", "/g/b/c"]
    assert names("Name", "BeginsWith", "/g/b") == ["/g/b/c"]
    assert names("Name", "Contains", "c", "zz") == ["/g/b/c"]
    assert names("Name", None, "/g/a") == ["/g/a"]
    assert names("Type", None, "StringList") == ["/g/b/c"]
    assert names("tag:team", None, "x") == ["/g/a"]
    described = call(cloud, "DescribeParameters", Filters=[{"Key": "Name", "Values": ["/g/a"]}])["Parameters"][0]
    assert described["Description"] == "words"
    assert described["LastModifiedUser"] == SCOPE.principal
    assert refused(cloud, "DescribeParameters", ParameterFilters=[{"Key": "Colour", "Values": ["x"]}]) == (
        "InvalidFilterKey"
    )
    wrong = [{"Key": "Name", "Option": "Near", "Values": ["x"]}]
    assert refused(cloud, "DescribeParameters", ParameterFilters=wrong) == "InvalidFilterOption"
