// golang.org/x/oauth2 and go-oidc: code flow with PKCE, ID token, userinfo, refresh, device flow, client credentials.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type settings struct {
	Issuer       string            `json:"issuer"`
	ClientID     string            `json:"client_id"`
	ClientSecret string            `json:"client_secret"`
	RedirectURI  string            `json:"redirect_uri"`
	Scope        string            `json:"scope"`
	API          string            `json:"api"`
	Does         string            `json:"does"`
	Parameters   map[string]string `json:"parameters"`
}

type client struct {
	lines    *bufio.Scanner
	settings settings
	provider *oidc.Provider
	config   oauth2.Config
}

func main() {
	c := client{lines: bufio.NewScanner(os.Stdin)}
	done, err := c.run(context.Background())
	if err != nil {
		say(map[string]any{"failed": map[string]string{"message": err.Error()}})
		os.Exit(1)
	}
	say(map[string]any{"done": done})
}

func (c *client) run(ctx context.Context) (map[string]any, error) {
	if err := c.hear(&c.settings); err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(ctx, c.settings.Issuer)
	if err != nil {
		return nil, err
	}
	c.provider = provider
	c.config = oauth2.Config{ClientID: c.settings.ClientID, ClientSecret: c.settings.ClientSecret, Endpoint: provider.Endpoint(),
		RedirectURL: c.settings.RedirectURI, Scopes: []string{c.settings.Scope}}
	switch c.settings.Does {
	case "device":
		return c.device(ctx)
	case "service":
		return c.service(ctx)
	default:
		return c.login(ctx)
	}
}

func (c *client) login(ctx context.Context) (map[string]any, error) {
	verifier := oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce("nonce-of-go")}
	for name, value := range c.settings.Parameters {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	at, err := c.visit(c.config.AuthCodeURL("state-of-go", options...))
	if err != nil {
		return nil, err
	}
	if at.Query().Get("state") != "state-of-go" {
		return nil, fmt.Errorf("another state: %s", at)
	}
	token, err := c.config.Exchange(ctx, at.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, err
	}
	claims, err := c.claims(ctx, token)
	if err != nil {
		return nil, err
	}
	source := c.config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken})
	refreshed, err := source.Token()
	if err != nil {
		return nil, err
	}
	info, err := c.provider.UserInfo(ctx, oauth2.StaticTokenSource(refreshed))
	if err != nil {
		return nil, err
	}
	return map[string]any{"claims": claims, "email": info.Email, "sub": info.Subject,
		"rotated": refreshed.RefreshToken != token.RefreshToken}, nil
}

func (c *client) device(ctx context.Context) (map[string]any, error) {
	device, err := c.config.DeviceAuth(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.visit(device.VerificationURIComplete); err != nil {
		return nil, err
	}
	token, err := c.config.DeviceAccessToken(ctx, device)
	if err != nil {
		return nil, err
	}
	claims, err := c.claims(ctx, token)
	return map[string]any{"claims": claims}, err
}

func (c *client) service(ctx context.Context) (map[string]any, error) {
	config := clientcredentials.Config{ClientID: c.settings.ClientID, ClientSecret: c.settings.ClientSecret,
		TokenURL: c.provider.Endpoint().TokenURL, EndpointParams: url.Values{"audience": {c.settings.API}}}
	token, err := config.Token(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"token_type": token.TokenType}, nil
}

// The ID token, verified, with its access token hash.
func (c *client) claims(ctx context.Context, token *oauth2.Token) (map[string]any, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, fmt.Errorf("no id_token")
	}
	verified, err := c.provider.Verifier(&oidc.Config{ClientID: c.settings.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, err
	}
	var claims map[string]any
	err = verified.Claims(&claims)
	return claims, err
}

func (c *client) visit(address string) (*url.URL, error) {
	say(map[string]string{"open": address})
	var answer struct {
		At string `json:"at"`
	}
	if err := c.hear(&answer); err != nil {
		return nil, err
	}
	return url.Parse(answer.At)
}

func (c *client) hear(into any) error {
	if !c.lines.Scan() {
		return fmt.Errorf("the test went away")
	}
	return json.Unmarshal(c.lines.Bytes(), into)
}

func say(value any) {
	line, _ := json.Marshal(value)
	fmt.Println(string(line))
}
