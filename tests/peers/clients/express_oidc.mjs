// Auth0's express-openid-connect as a site: `/` shows who is signed in, `/login` and `/logout` are the library's own, `/refresh`
// renews the access token. Settings come in the environment, as its users do it.
import process from 'node:process'
import { required } from './lines.mjs'

const express = required('express')
const { auth, requiresAuth } = required('express-openid-connect')
const settings = JSON.parse(process.argv[2])
const app = express()
app.use(auth({
  issuerBaseURL: settings.issuer, baseURL: settings.base, clientID: settings.client_id, clientSecret: settings.client_secret,
  secret: 'a secret of this site alone, long enough', authRequired: false, idpLogout: true,
  authorizationParams: { response_type: 'code', scope: settings.scope, ...settings.parameters },
}))
app.get('/', (request, response) => response.json(request.oidc.isAuthenticated() ? request.oidc.user : null))
app.get('/refresh', requiresAuth(), async (request, response) => {
  const before = request.oidc.accessToken.access_token
  const { access_token: after } = await request.oidc.accessToken.refresh()
  response.json({ renewed: before !== after })
})
app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.error ?? error.message }))
app.listen(settings.port, '127.0.0.1')
