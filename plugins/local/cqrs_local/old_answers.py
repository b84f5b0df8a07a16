"""The answers of 0.16 where only form and wording differ from the newest version (pure)."""

import re
from typing import Final, cast

import attrs
import orjson

from cqrs_local.answers import Answer, bare, json_answer, text
from cqrs_local.bodies import NO_JSON, WRONG

_PREFIXES: Final = (WRONG, NO_JSON)
_BUFFER: Final = "Failed to buffer the request body: "
_INTERNAL: Final = ("Error# SQL error", "Error# Stream name is empty", "Error# [file_list]")
_FUNCTION: Final = re.compile(r"unknown function '(.*)'")


def as_0_16(answer: Answer, authorization: bytes | None) -> Answer:
    """What 0.16 says instead.

    Args:
        answer: that of the newest version.
        authorization: the header of the request.
    """
    if answer.status < 400:
        return answer
    if answer.status == 405:
        return bare(404)
    if answer.status == 401:
        return _unauthorised(answer, authorization)
    if answer.body.startswith(b"{"):
        return _coded(answer)
    return _worded(answer)


def _unauthorised(answer: Answer, authorization: bytes | None) -> Answer:
    if answer.body == b"Not Supported":
        return text(403, "Not Supported")
    if authorization and not authorization.startswith(b"Basic "):
        return attrs.evolve(answer, body=b"")
    return text(401, "Unauthorized Access")


def _worded(answer: Answer) -> Answer:
    said = answer.body.decode()
    for prefix in _PREFIXES:
        if said.startswith(prefix):
            return text(400, f"Json deserialize error: {said.removeprefix(prefix)}")
    if said.startswith(_BUFFER):
        kind = said.removeprefix(_BUFFER)
        return text(400, f"payload reached EOF before completing: {kind[:1].lower()}{kind[1:]}")
    return answer


def _coded(answer: Answer) -> Answer:
    content = cast("dict[str, object]", orjson.loads(answer.body))
    said = str(content.get("message", ""))
    if content.get("code") == 400 and said.startswith(_INTERNAL):
        return json_answer({**content, "code": 500}, 500)
    if content.get("code") == 20004:
        name = said.removeprefix("unknown field '").removesuffix("'")
        valid = str(content.get("hint", "")).removeprefix("valid fields: ")
        detail = f"Schema error: No field named {name}. Valid fields are {valid}."
        told = {"code": 20008, "message": "Search SQL execute error", "error_detail": detail}
        return json_answer({**told, "trace_id": content["trace_id"]}, 400)
    if function := _FUNCTION.fullmatch(said):
        told = {"code": 20005, "message": f"Search function not defined: {function[1]}", "error_detail": ""}
        return json_answer({**told, "trace_id": content["trace_id"]}, 400)
    return answer
