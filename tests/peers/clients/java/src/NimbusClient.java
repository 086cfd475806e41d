import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.*;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.*;
import java.net.URI;
import java.util.*;

/** Nimbus OAuth SDK (what Spring Security builds on): code flow with PKCE, ID token, userinfo, refresh, introspection. */
public final class NimbusClient {
    private static final BufferedReader LINES = new BufferedReader(new InputStreamReader(System.in));

    public static void main(String[] arguments) throws Exception {
        try {
            say(Map.of("done", login(hear())));
        } catch (Exception error) {
            say(Map.of("failed", Map.of("name", error.getClass().getName(), "message", String.valueOf(error.getMessage()))));
            System.exit(1);
        }
    }

    private static Map<String, Object> login(Map<String, Object> settings) throws Exception {
        var issuer = new Issuer((String) settings.get("issuer"));
        var server = OIDCProviderMetadata.resolve(issuer);
        var id = new ClientID((String) settings.get("client_id"));
        var secret = new Secret((String) settings.get("client_secret"));
        ClientAuthentication authentication = new ClientSecretBasic(id, secret);
        var callback = URI.create((String) settings.get("redirect_uri"));
        var verifier = new CodeVerifier();
        var state = new State();
        var nonce = new Nonce();
        var builder = new AuthenticationRequest.Builder(ResponseType.CODE, Scope.parse((String) settings.get("scope")), id, callback)
            .endpointURI(server.getAuthorizationEndpointURI()).state(state).nonce(nonce)
            .codeChallenge(verifier, CodeChallengeMethod.S256);
        for (var parameter : JSONObjectUtils.getJSONObject(settings, "parameters").entrySet()) {
            builder.customParameter(parameter.getKey(), (String) parameter.getValue());
        }
        var request = builder.build();

        var answer = AuthenticationResponseParser.parse(visit(request.toURI()));
        if (!answer.indicatesSuccess()) {
            throw new GeneralException(answer.toErrorResponse().getErrorObject());
        }
        if (!state.equals(answer.getState()) || !issuer.equals(answer.getIssuer())) {
            throw new GeneralException("another state or issuer");
        }
        var code = answer.toSuccessResponse().getAuthorizationCode();
        var tokens = token(server, authentication, new AuthorizationCodeGrant(code, callback, verifier));
        var keys = new IDTokenValidator(issuer, id, JWSAlgorithm.RS256, server.getJWKSetURI().toURL());
        var claims = keys.validate(tokens.getIDToken(), nonce);
        var info = UserInfoResponse.parse(
            new UserInfoRequest(server.getUserInfoEndpointURI(), tokens.getBearerAccessToken()).toHTTPRequest().send());
        var renewed = token(server, authentication, new RefreshTokenGrant(tokens.getRefreshToken()));
        var introspection = TokenIntrospectionResponse.parse(new TokenIntrospectionRequest(
            server.getIntrospectionEndpointURI(), authentication, renewed.getAccessToken()).toHTTPRequest().send());
        return Map.of(
            "sub", claims.getSubject().getValue(),
            "info", info.toSuccessResponse().getUserInfo().toJSONObject(),
            "rotated", !renewed.getRefreshToken().equals(tokens.getRefreshToken()),
            "active", introspection.toSuccessResponse().isActive());
    }

    private static OIDCTokens token(OIDCProviderMetadata server, ClientAuthentication authentication, AuthorizationGrant grant)
            throws Exception {
        var request = new TokenRequest.Builder(server.getTokenEndpointURI(), authentication, grant).build();
        var answer = OIDCTokenResponseParser.parse(request.toHTTPRequest().send());
        if (!answer.indicatesSuccess()) {
            throw new GeneralException(answer.toErrorResponse().getErrorObject());
        }
        return ((OIDCTokenResponse) answer.toSuccessResponse()).getOIDCTokens();
    }

    /** Opens an address in the test's browser; where that came to rest. */
    private static URI visit(URI address) throws Exception {
        say(Map.of("open", address.toString()));
        return URI.create((String) hear().get("at"));
    }

    private static Map<String, Object> hear() throws Exception {
        var line = LINES.readLine();
        if (line == null) {
            throw new EOFException("the test went away");
        }
        return JSONObjectUtils.parse(line);
    }

    private static void say(Map<String, Object> value) {
        System.out.println(JSONObjectUtils.toJSONString(value));
        System.out.flush();
    }
}
