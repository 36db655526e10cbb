"""Flask saying hello in JSON, on the server and with the settings that the service uses."""

from typing import Any

from flask import Flask, Response, jsonify

from service import settings
from service.web_server import serve


def load(_target: str) -> Any:
    """Return an application that does nothing but answer."""
    app = Flask(__name__)

    @app.post("/v1/comments")
    def hello() -> tuple[Response, int]:
        return jsonify(id="01a20b15-602a-7727-9eb6", status="pending", receipt_url="https://x"), 202

    return app


if __name__ == "__main__":
    serve(settings.load(), load)
