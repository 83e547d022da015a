"""What keeps a run going: the key that asks is not taken away, and each request is one of its own."""

import os
import uuid

import schemathesis

OWN_KEY_ID = os.environ.get("LECTERN_CONFORMANCE_KEY_ID", "")
NOBODYS_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@schemathesis.hook
def before_call(context, case, kwargs):
    if OWN_KEY_ID and (case.path_parameters or {}).get("id") == OWN_KEY_ID:
        case.path_parameters["id"] = NOBODYS_ID
    # The same key with another body is refused, as it should be; what is tried here is the request.
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == "idempotency-key" and 1 <= len(str(headers[name])) <= 255:
            headers[name] = uuid.uuid4().hex
