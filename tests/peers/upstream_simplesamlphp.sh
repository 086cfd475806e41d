#!/usr/bin/env bash
# Debian's SimpleSAMLphp as SAML IdP on loopback, by PHP's own server, with a configuration folder made for one SP:
#   upstream_simplesamlphp.sh PORT FOLDER SP_ENTITY_ID ACS_URL
# User alice, password wonderland. As it comes, it sends transient NameIDs, and uid, mail, displayName by their urn:oid names.
# Metadata: /saml2/idp/metadata.php
set -euo pipefail
port=$1 folder=$2 sp=$3 acs=$4
mkdir -p "$folder"/{config,metadata,cert,data,log,tmp}
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=simplesamlphp \
  -keyout "$folder/cert/idp.key" -out "$folder/cert/idp.crt" 2>/dev/null

cat >"$folder/config/config.php" <<END
<?php
\$config = [
  'baseurlpath' => 'http://127.0.0.1:$port/',
  'certdir' => '$folder/cert/', 'loggingdir' => '$folder/log/', 'datadir' => '$folder/data/', 'tempdir' => '$folder/tmp/',
  'secretsalt' => 'only-for-tests', 'auth.adminpassword' => 'only-for-tests', 'technicalcontact_email' => 'na@example.org',
  'timezone' => 'UTC', 'logging.handler' => 'file', 'logging.level' => 5, 'debug' => null,
  'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true],
  'session.phpsession.savepath' => '$folder/tmp', 'session.cookie.secure' => false, 'session.cookie.samesite' => null,
  'store.type' => 'phpsession', 'attributenamemapdir' => '/etc/simplesamlphp/attributemap/', 'metadata.sources' => [['type' => 'flatfile', 'directory' => '$folder/metadata']],
];
END
cat >"$folder/config/authsources.php" <<'END'
<?php
$config = [
  'admin' => ['core:AdminPassword'],
  'people' => ['exampleauth:UserPass', 'alice:wonderland' => [
    'uid' => ['alice'], 'mail' => ['alice@customer.example'], 'displayName' => ['Alice Example'],
  ]],
];
END
cat >"$folder/metadata/saml20-idp-hosted.php" <<'END'
<?php
$metadata['__DYNAMIC:1__'] = [
  'host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'people',
  'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
  'authproc' => [100 => ['class' => 'core:AttributeMap', 'name2oid']],
];
END
cat >"$folder/metadata/saml20-sp-remote.php" <<END
<?php
\$metadata['$sp'] = ['AssertionConsumerService' => '$acs'];
END
SIMPLESAMLPHP_CONFIG_DIR="$folder/config" exec php -q -S "127.0.0.1:$port" -t /usr/share/simplesamlphp/www
