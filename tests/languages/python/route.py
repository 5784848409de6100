# Answers any method with what it was asked and the body that was sent.

import wit_world
from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports import wasi_http_types as http


class Handler(exports.Handler):
    async def handle(self, request: http.Request) -> http.Response:
        fields = request.get_headers()
        headers = [
            ("x-language", b"Python"),
            ("x-method", method(request).encode()),
            ("x-target", (request.get_path_with_query() or "/").encode()),
        ]
        headers += [("x-host", host) for host in fields.get("x-forwarded-host")]
        _, done = wit_world.result_unit_wasi_http_types_error_code_future(lambda: Ok(None))
        body, trailers = http.Request.consume_body(request, done)
        response, _ = http.Response.new(http.Fields.from_list(headers), body, trailers)
        response.set_status_code(201)
        return response


def method(request: http.Request) -> str:
    match request.get_method():
        case http.Method_Other(name):
            return name
        case known:
            return type(known).__name__.removeprefix("Method_").upper()
