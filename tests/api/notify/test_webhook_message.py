"""What a webhook's request says, and that a receiver can tell that it is ours."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.notify.webhook_message import compose_body, sign, signature_of
from importers.sdk.node_id import encode_node_id
from models.webhook import WebhookEvent, make_secret
from tests.api.notify.deliveries import SECRET, STATE, delivery

PAGE = Path(__file__).parents[3] / "docs/api.md"
NOW = datetime(2026, 5, 1, 10, 0, 2, 900_000, tzinfo=UTC)


def test_the_body() -> None:
    """The body has the import as the API shows it, with times in UTC."""
    body = json.loads(compose_body(delivery()))
    data = body.pop("data")

    assert body == {"type": "import.finished", "timestamp": "2026-05-01T10:00:01+00:00"}
    assert data == {
        "id": encode_node_id("Import", 5),
        "appId": encode_node_id("App", 2),
        "tokenId": encode_node_id("Token", 3),
        "type": "assign",
        "name": "May",
        "source": "api",
        "dryRun": False,
        "status": "PROCESSED",
        "finishedAt": "2026-05-01T10:00:00.500000+00:00",
        "total": 3,
        "passed": 2,
        "failed": 1,
        "cancelled": 0,
        "created": 2,
        "updated": 0,
        "removed": 0,
        "unchanged": 0,
    }


def test_an_import_that_is_held() -> None:
    """Without an end and a token, both are null."""
    state = {**STATE, "finished_at": None, "token_id": None, "status": "HELD"}
    body = json.loads(compose_body(delivery(event=WebhookEvent.IMPORT_HELD, state=state)))

    assert body["type"] == "import.held"
    assert (body["data"]["finishedAt"], body["data"]["tokenId"]) == (None, None)


def test_each_attempt_says_the_same() -> None:
    """Body and ID are those of the first attempt, and only the time is another."""
    first, second = delivery(), delivery(attempts=2)
    body = compose_body(first)
    headers = [sign(each, body, NOW + timedelta(each.attempts)) for each in (first, second)]

    assert compose_body(second) == body
    assert headers[0]["webhook-id"] == headers[1]["webhook-id"]
    assert headers[0]["webhook-timestamp"] != headers[1]["webhook-timestamp"]


def test_a_known_signature() -> None:
    """The signature is that of the example with which Standard Webhooks libraries are tested."""
    signature = signature_of(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets() -> None:
    """Secrets are as the specification has them: 24 to 64 bytes, and never the same."""
    first, second = make_secret(), make_secret()

    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first)
    assert first != second


@pytest.fixture
def verify() -> Any:
    """The function that `docs/api.md` shows to receivers."""
    [program] = [
        text
        for text in re.findall(
            r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
        )
        if "def verify" in text
    ]
    names: dict[str, Any] = {}
    exec(program, names)
    return names["verify"]


def test_the_documented_receiver(verify: Any) -> None:
    """The function of the documentation takes our requests, and returns what they say."""
    body, now = compose_body(delivery()), datetime.now(UTC)
    headers = sign(delivery(), body, now)
    two = {**headers, "webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}

    assert verify(SECRET, headers, body)["data"]["name"] == "May"
    assert verify(SECRET, two, body)["type"] == "import.finished"


@pytest.mark.parametrize("change", ["body", "secret", "id", "age", "version"])
def test_the_documented_receiver_refuses(verify: Any, change: str) -> None:
    """What was changed, sent again later, or signed with another secret, is refused."""
    body, now = compose_body(delivery()), datetime.now(UTC)
    headers = sign(delivery(), body, now - timedelta(hours=change == "age"))
    if change == "id":
        headers["webhook-id"] = "other"
    if change == "version":
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    secret = make_secret() if change == "secret" else SECRET
    with pytest.raises(ValueError, match="webhook"):
        verify(secret, headers, body + b" " if change == "body" else body)
