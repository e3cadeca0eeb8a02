"""Staff log in and out over HTTP."""

from typing import Any

import pytest

Office = Any


async def test_login_me_logout(office: Office) -> None:
    email = await office.new_staff("advisor")
    answer = await office.client.post(
        "/v1/auth/login", json={"email": email, "password": office.password}
    )

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "bearer"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    me = await office.client.get("/v1/auth/me", headers=headers)
    assert (me.json()["email"], me.json()["role"]) == (email, "advisor")
    assert me.json() == body["staff"]

    assert (await office.client.post("/v1/auth/logout", headers=headers)).status_code == 204
    again = await office.client.get("/v1/auth/me", headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "auth.token")


async def test_wrong_password_and_unknown_address_answer_alike(office: Office) -> None:
    answers = []
    for email in (await office.new_staff("advisor"), "nobody.at.all@andino.example"):
        answer = await office.client.post(
            "/v1/auth/login", json={"email": email, "password": "not the password"}
        )
        body = answer.json()
        body.pop("request_id")
        answers.append((answer.status_code, body))

    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "auth.credentials"


async def test_sixth_failure_is_throttled(office: Office) -> None:
    body = {"email": await office.new_staff("advisor"), "password": "not the password"}
    for _ in range(5):
        await office.client.post("/v1/auth/login", json=body)

    answer = await office.client.post("/v1/auth/login", json=body)

    assert (answer.status_code, answer.json()["code"]) == (429, "auth.locked")
    assert 800 < int(answer.headers["retry-after"]) <= 901


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a@b.example"},
        {"email": "a@b.example", "password": "x" * 1_025},
        {"email": "a@b.example", "password": "x", "role": "admin"},
    ],
)
async def test_invalid_login_does_not_repeat_what_was_sent(
    office: Office, body: dict[str, str]
) -> None:
    answer = await office.client.post("/v1/auth/login", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert "xxxx" not in answer.text
    assert "a@b.example" not in answer.text
