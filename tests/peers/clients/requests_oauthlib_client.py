"""requests-oauthlib: code flow with PKCE, an API call, refresh."""

import json
import os
import urllib.request

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from lines import run, visit  # noqa: E402
from requests_oauthlib import OAuth2Session  # noqa: E402


def client(settings):
    with urllib.request.urlopen(settings["issuer"] + "/.well-known/oauth-authorization-server") as answer:
        server = json.load(answer)
    app = OAuth2Session(
        settings["client_id"], scope=settings["scope"].split(), redirect_uri=settings["redirect_uri"], pkce="S256"
    )
    url, _ = app.authorization_url(server["authorization_endpoint"], **settings.get("parameters", {}))
    at = visit(url)
    token = app.fetch_token(
        server["token_endpoint"], authorization_response=at, client_secret=settings["client_secret"], include_client_id=False
    )
    info = app.get(server["userinfo_endpoint"]).json()
    auth = (settings["client_id"], settings["client_secret"])
    refreshed = app.refresh_token(server["token_endpoint"], auth=auth)
    return {
        "token_type": token["token_type"],
        "scope": token["scope"],
        "info": info,
        "rotated": refreshed["refresh_token"] != token["refresh_token"],
    }


run(client)
