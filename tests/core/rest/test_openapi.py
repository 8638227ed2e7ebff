"""The OpenAPI document is true: it validates, and the API does what it says."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openapi_pydantic import OpenAPI

from clientela.plugins.core import CORE
from clientela.rest.openapi import build


def test_the_document_is_openapi_3_1(app):
    document = build(app)

    assert OpenAPI.model_validate(document).openapi == "3.1.0"


def test_every_entity_and_every_action_has_an_address(app):
    paths = build(app)["paths"]

    for info in app.registry.entities.values():
        assert "get" in paths[f"/api/v1/{info.plugin}/{info.collection}"]
        for action in app.registry.actions_on(info):
            assert "post" in paths[f"/api/v1/{info.plugin}/{info.collection}/{{id}}:{action.verb}"]
    assert "post" in paths["/api/v1/core/tokens:issue"]


def test_every_operation_says_who_is_refused(app):
    for path, item in build(app)["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert {"401", "403"} <= set(operation["responses"]), (method, path)


def test_the_document_is_of_exactly_the_plugins_that_are_there(app):
    described = {
        path.split("/")[3].split(":")[0] for path in build(app)["paths"] if path.count("/") > 3
    }

    assert described == set(app.registry.plugins)
    assert CORE.name in described


def test_the_document_is_public_and_the_data_are_not(client):
    nobody = {"Authorization": ""}

    assert client.get("/api/v1/openapi.json", headers=nobody).status_code == HTTPStatus.OK
    assert client.get("/api/v1/meta", headers=nobody).status_code == HTTPStatus.UNAUTHORIZED
    assert client.get("/livez", headers=nobody).json() == {"status": "alive"}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_schemathesis_finds_no_contradiction(app, client):
    """A taste of every operation; the long run is `make fuzz`."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", client.app)
    authorization = {"Authorization": client.headers["authorization"]}
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    few = settings(
        max_examples=3,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @few
        @given(case=operation.as_strategy())
        def try_it(case):
            case.call_and_validate(headers=authorization, checks=checks)

        try_it()
        tried += 1
    assert tried > 50
