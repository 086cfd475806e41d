-- A database as the first version of the schema left it: made by that version, dumped by sqlite3. Never change it.
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'catalog','2030-01-01 00:00:00',1,X'd1d9cca52e51886cdbb0141d16b3b0c9231b53c8bcad5c8cc59a47a771ed89255dac607495dd1e2974b70b8e0ebd6ca4',0);
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO settings VALUES('master_key_check','AepLd4of5u/0FQjFEfw1S8heto7BnbAY9tbnoVJbC7CXW0yl2a0TxhK2W+fhuOu558uldWI=');
CREATE TABLE catalog_revision (
    id BIGINT NOT NULL PRIMARY KEY,
    current BIGINT NOT NULL
);
INSERT INTO catalog_revision VALUES(1,11);
CREATE TABLE tombstones (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);
INSERT INTO tombstones VALUES('organization','gone','org_gone',10);
CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO organizations VALUES('org_acme','acme',2,'{"id":"org_acme","name":"acme","display_name":"acme","domains":[{"name":"acme.example","verified":true}],"enabled":true,"created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE organization_domains (
    name TEXT NOT NULL,
    organization TEXT NOT NULL REFERENCES organizations (name),
    verified BIGINT NOT NULL,
    PRIMARY KEY (name, organization)
);
INSERT INTO organization_domains VALUES('acme.example','acme',1);
CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    organization TEXT REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO connections VALUES('con_acme-saml','acme-saml','acme',3,'{"id":"con_acme-saml","name":"acme-saml","vendor":"generic","organization":"acme","display_name":"acme-saml","domains":["acme.example"],"is_domain_connection":false,"enabled":true,"clients":["*"],"strategy":"oidc","options":{"issuer":"https://idp.example","client_id":"x","sealed_client_secret":null,"scopes":["openid"],"response_mode":null,"token_endpoint_auth_method":null,"acr_values":[],"upstream_params":{},"foreign_domains":"refuse","tenant":null,"allowed_tenants":[],"authority":null,"clock_skew_seconds":60},"claims":{},"acr_values":{},"roles":{},"created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE connection_domains (
    pattern TEXT NOT NULL,
    connection TEXT NOT NULL REFERENCES connections (name),
    PRIMARY KEY (pattern, connection)
);
INSERT INTO connection_domains VALUES('acme.example','acme-saml');
CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO clients VALUES('portal','acme',4,'{"client_id":"portal","client_name":"portal","kind":"third_party","organization":"acme","redirect_uris":[],"post_logout_redirect_uris":[],"web_origins":[],"grant_types":["authorization_code"],"token_endpoint_auth_method":"none","secrets":[],"connections":null,"id_token_signed_response_alg":"RS256","client_uri":null,"initiate_login_uri":null,"enabled":true,"created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE client_connections (
    client_id TEXT NOT NULL REFERENCES clients (id),
    connection TEXT NOT NULL REFERENCES connections (name),
    PRIMARY KEY (client_id, connection)
);
CREATE TABLE resource_servers (
    id TEXT NOT NULL PRIMARY KEY,
    identifier TEXT NOT NULL UNIQUE,
    -- 'default' for the default API, else NULL: unique, so one at most
    default_slot TEXT UNIQUE,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO resource_servers VALUES('api_19','https://api.example',NULL,5,'{"id":"api_19","identifier":"https://api.example","name":"The API","scopes":[{"value":"read:data"}],"token_lifetime_seconds":3600,"signing_alg":"ES256","default":false,"created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE client_grants (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    audience TEXT NOT NULL REFERENCES resource_servers (identifier),
    subject_type TEXT NOT NULL,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (client_id, audience, subject_type)
);
INSERT INTO client_grants VALUES('cgr_1','portal','https://api.example','user',6,'{"id":"cgr_1","client_id":"portal","audience":"https://api.example","scopes":["read:data"],"subject_type":"user","created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO users VALUES('usr_1',7,'{"id":"usr_1","claims":{"name":"Ada"},"identities":[{"connection":"acme-saml","issuer":"https://idp.example","subject":"ada"}],"organizations":["acme"],"blocked":false,"created_at":"2030-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}');
CREATE TABLE identities (
    digest TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (name),
    user_id TEXT NOT NULL REFERENCES users (id)
);
INSERT INTO identities VALUES('49c6378073557cff6267a67f44e99ce8616ba4931fffc31f8fed15aa86fb1119','acme-saml','usr_1');
CREATE TABLE user_organizations (
    user_id TEXT NOT NULL REFERENCES users (id),
    organization TEXT NOT NULL REFERENCES organizations (name),
    PRIMARY KEY (user_id, organization)
);
INSERT INTO user_organizations VALUES('usr_1','acme');
CREATE TABLE consents (
    user_id TEXT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    revision BIGINT NOT NULL,
    scopes TEXT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
INSERT INTO consents VALUES('usr_1','portal',8,'["openid"]');
CREATE TABLE login_traces (
    id TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    doc TEXT NOT NULL
);
INSERT INTO login_traces VALUES('ltr_0001','REF-0001',1893456000000,'{"id":"ltr_0001","reference":"REF-0001","at":"2030-01-01T00:00:00Z","outcome":"failed","code":"saml_audience_mismatch","connection":"acme-saml","client_id":null,"user_id":null,"checks":[]}');
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
INSERT INTO signing_keys VALUES('WT1mvpYryHJeKWZdm0mWt8WOJLNiHLLGsvk8TvwFXVk','ES256','active',1893456000000,11,'AepLd4of5u/0vAw9N/wycHyclxH/Q5bFALcjzjHJEV7oc8V6pCjbOSOclCeUwV8mtkAVJ4XlHGDBz0l3HRvL/TZjB4LmiQq39LxlL7Lw6ALtGieLWTnwyFGWBvdF2YZZIX3Z3sDM/Wf9B8rrOKynVDHY9olHnS+vc4GwDWeMU5Dio+Gl8Jq7PG0DrrsJD4CAXjpA9q1y2we2J6cGPvyxo7qHPxphrn2g63brFLYSvw==');
INSERT INTO signing_keys VALUES('PmEfnZXH7POQBCALdKGrwy2wgjrVOpcH2-MQOXzuWAs','ES256','next',1893456000000,11,'AepLd4of5u/06M6iX9kUTrD30XSs847qWXOH0CTHWgwFGOL8+ML2v/xebCGVwNkbXU7DWC2UhiMdmKxU93Ru6e8UL+5jMVE1QdLYEU9zNnRIedxr3t5XlzMWbJYrXo0K1bT9cpmnjZxz/oa+69JwshmFtOnVfbIIe4TQSV591Nb2kcYu15/ZbA3H4Pzry0X8tGeMOt6rOPN4xN9oF6wBrMW4PfvnabsyVMibt1uUjg==');
CREATE INDEX tombstones_revision ON tombstones (revision);
CREATE INDEX organizations_revision ON organizations (revision);
CREATE INDEX organization_domains_organization ON organization_domains (organization);
CREATE UNIQUE INDEX organization_domains_holder ON organization_domains (name) WHERE verified = 1;
CREATE INDEX connections_organization ON connections (organization, name);
CREATE INDEX connections_revision ON connections (revision);
CREATE INDEX connection_domains_connection ON connection_domains (connection);
CREATE INDEX clients_organization ON clients (organization);
CREATE INDEX clients_revision ON clients (revision);
CREATE INDEX client_connections_connection ON client_connections (connection);
CREATE INDEX resource_servers_revision ON resource_servers (revision);
CREATE INDEX client_grants_audience ON client_grants (audience);
CREATE INDEX client_grants_revision ON client_grants (revision);
CREATE INDEX users_revision ON users (revision);
CREATE INDEX identities_connection ON identities (connection);
CREATE INDEX identities_user ON identities (user_id);
CREATE INDEX user_organizations_organization ON user_organizations (organization);
CREATE INDEX consents_client ON consents (client_id);
CREATE INDEX login_traces_at ON login_traces (at, id);
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (alg, state) WHERE state <> 'retiring';
