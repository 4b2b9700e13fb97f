"""The document is sound."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.contract.document import DOCUMENT, operations, source
from tests.contract.referee import Referee


@pytest.mark.slow
def test_the_document_is_valid_openapi_3_1() -> None:
    validate(source(), cls=OpenAPIV31SpecValidator, base_uri=DOCUMENT.as_uri())


def test_operation_ids_are_unique() -> None:
    ids = [operation.id for operation in operations()]
    assert len(ids) == len(set(ids))


def test_any_operation_may_answer_a_bad_key_or_a_fault() -> None:
    for operation in operations():
        assert {401, 429, 500, 502, 504} <= operation.replies.keys(), operation.id


def test_every_request_body_that_we_send_is_closed(referee: Referee) -> None:
    sent = {operation.id: operation.bodies for operation in operations() if operation.bodies}
    del sent["create_agent"]
    assert sent.keys() < referee.operations
    for operation, bodies in sent.items():
        for body in bodies.values():
            messages = [error.message for error in body.validator.iter_errors({"surprise": 1})]
            assert any("'surprise' was unexpected" in message for message in messages), operation
