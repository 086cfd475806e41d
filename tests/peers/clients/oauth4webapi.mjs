// oauth4webapi (Node, certified, the smallest): a public client, as a single-page app uses it, each step by hand.
import { installed, run, visit } from './lines.mjs'

const oauth = await installed('oauth4webapi')
const insecure = { [oauth.allowInsecureRequests]: true }

run(async (settings) => {
  const issuer = new URL(settings.issuer)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const metadata = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }))
  const client = { client_id: settings.client_id, token_endpoint_auth_method: 'none' }
  const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce()
  const url = new URL(server.authorization_endpoint)
  const parameters = { client_id: settings.client_id, redirect_uri: settings.redirect_uri, response_type: 'code', scope: settings.scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...settings.parameters }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)

  const answer = oauth.validateAuthResponse(server, client, await visit(url), state)
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, settings.redirect_uri, verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true })
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  await oauth.validateApplicationLevelSignature(server, response, insecure)
  const info = await oauth.processUserInfoResponse(server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure))
  // as an API validates it (RFC 9068)
  const call = new Request(settings.api, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const access = await oauth.validateJwtAccessToken(server, call, settings.api, insecure)
  return { claims, info, access, issuer: metadata.issuer }
})
