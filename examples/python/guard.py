"""Ask Placet before an action runs. Needs httpx. URL and KEY are taken from the environment."""

import os
import sys
import time
import uuid

import httpx


class Denied(Exception):
    """The action must not run; the message says why."""


def guard(client, action_name, payload, run, key=None, patience_s=600):
    """Call run(payload) if Placet allows it, and report the execution. Whatever is unsure is a denial."""
    check = {"action_name": action_name, "payload": payload, "idempotency_key": key or str(uuid.uuid4())}
    answer = ask(client, check, patience_s)
    if answer.get("decision") != "allowed":
        raise Denied(answer.get("reason") or answer.get("message") or "nobody decided in time")
    try:
        result = run(payload)
    except Exception as error:
        report(client, answer, {"status": "error", "error": repr(error)[:2000]})
        raise
    report(client, answer, {"status": "success"})
    return result


def ask(client, check, patience_s):
    """Wait for the decision. The same key is the same action, so it is safe to ask again."""
    deadline = time.monotonic() + patience_s
    answer = {}
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            response = client.post("/v1/check", params={"wait": min(left_s, 30)}, json=check, timeout=40)
        except httpx.TransportError:
            time.sleep(min(left_s, 1))
            continue
        if response.status_code in (429, 503):
            time.sleep(min(left_s, float(response.headers.get("retry-after", 1))))
            continue
        answer = response.json()
        if response.status_code != 200 or answer["decision"] != "pending":
            return answer
    if "action_id" in answer:
        client.delete(f"/v1/check/{answer['action_id']}")  # nobody waits for this decision any more
    return {}


def report(client, answer, execution):
    """The report ends the permission. That it fails does not undo what has run."""
    try:
        send_report(client, answer, execution)
    except httpx.HTTPError as error:
        print(f"{answer['action_id']} ran and could not be reported: {error}", file=sys.stderr)


def send_report(client, answer, execution):
    response = client.post(f"/v1/check/{answer['action_id']}/execution", json=execution)
    if response.status_code != 409:  # reported before, and that answer was lost
        response.raise_for_status()


if __name__ == "__main__":
    with httpx.Client(base_url=os.environ["URL"], headers={"Authorization": f"Bearer {os.environ['KEY']}"}) as placet:
        print(guard(placet, "cancel_flight", {"flight_number": "PA441"}, lambda flight: f"cancelled {flight}"))
