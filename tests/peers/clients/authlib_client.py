"""Authlib: code flow with PKCE, ID token, userinfo, refresh, revocation, introspection."""

import json
import urllib.request

from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from lines import run, visit


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def session(settings, server):
    method = settings.get("method", "client_secret_basic")
    secret = settings.get("client_secret")
    if method == "private_key_jwt":
        # RFC 7523bis: the audience is the issuer, and the library calls that the token endpoint
        secret, method = JsonWebKey.import_key(settings["private_jwk"]), PrivateKeyJWT(server["issuer"], alg="ES256")
    made = OAuth2Session(
        settings["client_id"],
        secret,
        scope=settings["scope"],
        redirect_uri=settings["redirect_uri"],
        token_endpoint=server["token_endpoint"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    return made


def client(settings):
    server = get(settings["issuer"] + "/.well-known/openid-configuration")
    app = session(settings, server)
    verifier, nonce = "authlib" * 8, "nonce-of-authlib"
    url, state = app.create_authorization_url(
        server["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **settings.get("parameters", {})
    )
    at = visit(url)
    token = app.fetch_token(server["token_endpoint"], authorization_response=at, state=state, code_verifier=verifier)
    claims = jwt.decode(
        token["id_token"],
        JsonWebKey.import_key_set(get(server["jwks_uri"])),
        claims_cls=CodeIDToken,
        claims_options={"iss": {"value": server["issuer"]}, "aud": {"value": settings["client_id"]}},
        claims_params={"nonce": nonce, "client_id": settings["client_id"], "access_token": token["access_token"]},
    )
    claims.validate()
    info = app.get(server["userinfo_endpoint"]).json()
    refreshed = app.refresh_token(server["token_endpoint"], refresh_token=token["refresh_token"])
    live = app.introspect_token(server["introspection_endpoint"], refreshed["access_token"], "access_token").json()
    revoked = app.revoke_token(server["revocation_endpoint"], refreshed["refresh_token"], "refresh_token").status_code
    dead = app.introspect_token(server["introspection_endpoint"], refreshed["access_token"], "access_token").json()
    return {
        "claims": dict(claims),
        "info": info,
        "rotated": refreshed["refresh_token"] != token["refresh_token"],
        "live": live,
        "revoked": revoked,
        "dead": dead,
    }


run(client)
