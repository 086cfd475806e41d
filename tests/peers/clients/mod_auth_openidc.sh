#!/usr/bin/env bash
# Debian's Apache with mod_auth_openidc as a site that only signed-in users see: `/` shows their subject and e-mail address.
# mod_auth_openidc.sh PORT FOLDER ISSUER CLIENT_ID CLIENT_SECRET
set -euo pipefail
port=$1 folder=$2 issuer=$3 client=$4 secret=$5
modules=/usr/lib/apache2/modules
mkdir -p "$folder/site/app"
# Apache does not serve as root
as=$(id -un)
[ "$as" = root ] && as=www-data && chmod 0711 "$folder"
cat > "$folder/site/app/index.html" <<'PAGE'
<!doctype html><title>app</title><p>sub=<!--#echo var="OIDC_CLAIM_sub" --> email=<!--#echo var="OIDC_CLAIM_email" -->
PAGE
cat > "$folder/apache.conf" <<CONF
ServerRoot "$folder"
ServerName 127.0.0.1:$port
Listen 127.0.0.1:$port
PidFile "$folder/apache.pid"
DefaultRuntimeDir "$folder"
ErrorLog "$folder/error.log"
User $as
Group $(id -gn "$as")
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule mime_module $modules/mod_mime.so
LoadModule dir_module $modules/mod_dir.so
LoadModule include_module $modules/mod_include.so
LoadModule auth_openidc_module $modules/mod_auth_openidc.so
TypesConfig /etc/mime.types
DocumentRoot "$folder/site"
DirectoryIndex index.html
OIDCProviderMetadataURL $issuer/.well-known/openid-configuration
OIDCClientID $client
OIDCClientSecret $secret
OIDCRedirectURI http://127.0.0.1:$port/app/callback
OIDCCryptoPassphrase a-passphrase-of-this-site-alone
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCSSLValidateServer Off
OIDCCookieSameSite On
OIDCDefaultLoggedOutURL http://127.0.0.1:$port/out
<Location /app>
  AuthType openid-connect
  Require valid-user
  Options +Includes
  SetOutputFilter INCLUDES
</Location>
CONF
chmod -R a+rX "$folder/site"
exec env APACHE_RUN_DIR="$folder" /usr/sbin/apache2 -f "$folder/apache.conf" -D FOREGROUND
