"""Forms of answers."""

from cqrs_local.answers import bare, json_answer, message, text, unauthorised


def test_each_form_has_its_content_type() -> None:
    """JSON and text say what they are, a bare answer and the 401 do not, as on the server."""
    kinds = {
        name: dict(answer.headers).get(b"content-type")
        for name, answer in {
            "json": json_answer({}),
            "message": message(400, "x"),
            "text": text(404, "x"),
            "bare": bare(405, {"allow": "GET"}),
            "unauthorised": unauthorised("x"),
        }.items()
    }

    assert kinds == {
        "json": b"application/json",
        "message": b"application/json",
        "text": b"text/plain; charset=utf-8",
        "bare": None,
        "unauthorised": None,
    }


def test_a_message_repeats_its_status() -> None:
    """Clients read the code from the body."""
    assert message(503, "full").body == b'{"code":503,"message":"full"}'
    assert message(503, "full").status == 503
