// openid-client (Node, certified): what its users do with a server, one function a thing. `settings.does` names the function.
import { installed, run, visit } from './lines.mjs'

const oidc = await installed('openid-client')

const does = {
  /** Code flow with PKCE, ID token, userinfo, refresh, introspection, revocation, and a refresh that is refused after it. */
  async login({ config, settings }) {
    const tokens = await login(config, settings)
    const claims = tokens.claims()
    const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
    const live = await oidc.tokenIntrospection(config, refreshed.access_token)
    await oidc.tokenRevocation(config, refreshed.refresh_token)
    const after = await refusal(oidc.refreshTokenGrant(config, refreshed.refresh_token))
    return { claims, info, rotated: refreshed.refresh_token !== tokens.refresh_token, same_sub: refreshed.claims().sub === claims.sub,
      live, after, expires_in: tokens.expires_in, scope: tokens.scope }
  },

  /** RFC 9126: the request is pushed, the browser carries its handle only. */
  async par({ config, settings }) {
    const tokens = await login(config, settings, oidc.buildAuthorizationUrlWithPAR)
    return { claims: tokens.claims() }
  },

  /** RFC 9449, with a server nonce where the server wants one; refresh and userinfo with the same key. */
  async dpop({ config, settings }) {
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const tokens = await login(config, settings, oidc.buildAuthorizationUrl, { DPoP })
    const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP })
    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
    const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const stolen = await refusal(oidc.refreshTokenGrant(config, refreshed.refresh_token, undefined, { DPoP: other }))
    return { token_type: tokens.token_type, refreshed: refreshed.token_type, info, stolen }
  },

  /** RFC 8628. The user goes to the address that the device shows. */
  async device({ config, settings }) {
    const device = await oidc.initiateDeviceAuthorization(config, { scope: settings.scope })
    await visit(device.verification_uri_complete)
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, device)
    return { claims: tokens.claims(), user_code: device.user_code, interval: device.interval }
  },

  /** A service of its own. */
  async service({ config, settings }) {
    const tokens = await oidc.clientCredentialsGrant(config, { audience: settings.api })
    return { token_type: tokens.token_type, scope: tokens.scope }
  },

  /** RP-initiated logout. */
  async logout({ config, settings }) {
    const tokens = await login(config, settings)
    const url = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: settings.after_logout, state: 'out' })
    const at = await visit(url)
    const silent = new URL(oidc.buildAuthorizationUrl(config, { ...(await request(settings)).parameters, prompt: 'none' }))
    const answer = await visit(silent)
    return { at: at.href, error: answer.searchParams.get('error') }
  },
}

run(async (settings) => {
  const config = await oidc.discovery(new URL(settings.issuer), settings.client_id, metadata(settings), await authentication(settings), {
    execute: [oidc.allowInsecureRequests],
  })
  return does[settings.does]({ config, settings })
})

const metadata = (settings) => ({ ...(settings.client_secret ? { client_secret: settings.client_secret } : {}), ...settings.metadata })

/** As the client is registered. */
async function authentication(settings) {
  if (settings.private_jwk) {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('jwk', settings.private_jwk, algorithm, false, ['sign'])
    return oidc.PrivateKeyJwt({ key, kid: settings.private_jwk.kid })
  }
  if (!settings.client_secret) return oidc.None()
  return settings.method === 'client_secret_post' ? oidc.ClientSecretPost(settings.client_secret) : oidc.ClientSecretBasic(settings.client_secret)
}

async function request(settings) {
  const verifier = oidc.randomPKCECodeVerifier()
  const parameters = { redirect_uri: settings.redirect_uri, scope: settings.scope, state: oidc.randomState(), nonce: oidc.randomNonce(),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...settings.parameters }
  return { parameters, verifier }
}

async function login(config, settings, build = oidc.buildAuthorizationUrl, options = undefined) {
  const { parameters, verifier } = await request(settings)
  const at = await visit(await build(config, parameters, options))
  const checks = { pkceCodeVerifier: verifier, expectedNonce: parameters.nonce, expectedState: parameters.state, idTokenExpected: true }
  return oidc.authorizationCodeGrant(config, at, checks, undefined, options)
}

/** The error code that a promise fails with. */
const refusal = (promise) => promise.then(() => 'accepted', (error) => error.error ?? error.code ?? String(error))
