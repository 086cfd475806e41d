// The logins and pages in headless Chromium: node logins.mjs SCENE.json OUT, in the folder of the peers' packages.
// SCENE.json is made by tests/it/browser.rs. Screenshots go to OUT. Ends with `N passed, N failed`.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';

const require = createRequire(process.cwd() + '/');
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const [, , sceneFile, out] = process.argv;
const scene = JSON.parse(fs.readFileSync(sceneFile, 'utf8'));
fs.mkdirSync(out, { recursive: true });
setTimeout(() => { console.log('FAIL it took too long'); process.exit(1); }, 240_000).unref();

let passed = 0;
let failed = 0;
const check = (ok, words) => {
  if (ok) passed++;
  else { failed++; console.log('FAIL', words); }
};

const browser = await chromium.launch({
  executablePath: process.env.CHROME || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

// The apps; on 127.0.0.1 like the IdPs, while the broker is on localhost: another site.
const apps = createServer((request, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><html lang="en"><title>At the app</title><link rel="icon" href="data:,"><p>At the app</p></html>');
});
await new Promise(done => apps.listen(scene.appPort, '127.0.0.1', done));

// A page that records what goes wrong.
async function open(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on('console', message => { if (message.type() === 'error') wrong.push(message.text()); });
  page.on('pageerror', error => wrong.push(String(error)));
  return { context, page, wrong };
}

const atApp = page => page.waitForURL(url => scene.apps.some(app => url.href.startsWith(app)));
const answerOf = page => new URL(page.url()).searchParams;

async function step(name, run) {
  const start = { passed, failed };
  try { await run(); } catch (error) { check(false, `${name}: ${String(error).split('\n')[0]}`); }
  console.log(`${failed === start.failed ? 'ok  ' : 'FAIL'} ${name}`);
}

// Keys only: the field has the focus, Enter sends the form, the rest goes by itself.
async function signInByKeys(email, words) {
  const { context, page, wrong } = await open();
  await page.goto(scene.authorize);
  check(await page.evaluate(() => document.activeElement?.id) === 'email', `${words}: the field has the focus`);
  await page.keyboard.type(email);
  await page.keyboard.press('Enter');
  await atApp(page);
  const answer = answerOf(page);
  check(answer.has('code') && answer.get('state') === 'state-of-the-app', `${words}: ${answer}`);
  check(answer.get('iss') === scene.issuer, `${words}: iss ${answer.get('iss')}`);
  const cookies = (await context.cookies(scene.issuer)).filter(cookie => cookie.name.startsWith('hr_login'));
  // the browser's own, and that of its first login, which a second first tab does not overwrite
  const bound = cookies.length === 2 && cookies.every(cookie => cookie.httpOnly && cookie.sameSite === 'Lax');
  check(bound, `${words}: ${JSON.stringify(cookies)}`);
  check(wrong.length === 0, `${words}: ${wrong[0]}`);
  await context.close();
}

await step('SAML, by keys, the answer posted from another site', () => signInByKeys('alice@customer.example', 'SAML'));
await step('OIDC, by keys', () => signInByKeys('bob@oidc.example', 'OIDC'));

await step('SAML by a form that the served script sends', async () => {
  const { context, page, wrong } = await open();
  await page.goto(scene.post);
  await atApp(page);
  check(answerOf(page).has('code'), `${answerOf(page)}`);
  check(wrong.length === 0, `${wrong[0]}`);
  await context.close();
});

await step('SAML without JavaScript: each form has a button', async () => {
  const { context, page } = await open({ javaScriptEnabled: false });
  await page.goto(scene.post);
  for (let click = 0; click < 3 && !scene.apps.some(app => page.url().startsWith(app)); click++) {
    await Promise.all([page.waitForNavigation(), page.locator('button, input[type=submit]').first().click()]);
  }
  check(answerOf(page).has('code'), page.url());
  await context.close();
});

await step('the answer by form_post', async () => {
  const { context, page, wrong } = await open();
  let posted = '';
  page.on('request', request => {
    if (request.method() === 'POST' && scene.apps.some(app => request.url().startsWith(app))) posted = request.postData() ?? '';
  });
  await page.goto(scene.formPost);
  await atApp(page);
  check(/(^|&)code=/.test(posted) && /(^|&)iss=/.test(posted), posted);
  check(wrong.length === 0, `${wrong[0]}`);
  await context.close();
});

await step('two tabs finish, one after the other', async () => {
  const { context, page } = await open();
  const other = await context.newPage();
  await page.goto(scene.authorize);
  await other.goto(scene.authorize);
  for (const tab of [other, page]) {
    await tab.fill('#email', 'alice@customer.example');
    await tab.click('button[type=submit]');
    await atApp(tab);
    check(answerOf(tab).has('code'), tab.url());
  }
  await context.close();
});

await step('the back button after a login says so', async () => {
  const { context, page } = await open();
  await page.goto(scene.authorize);
  await page.fill('#email', 'alice@customer.example');
  await page.click('button[type=submit]');
  await atApp(page);
  await page.goBack();
  await page.waitForLoadState();
  const words = await page.locator('body').innerText();
  check(words.length > 20 && !/error|exception/i.test(words), words.slice(0, 200));
  await context.close();
});

// Each page as people meet it: how to get there from an address.
const pages = {
  login: { url: scene.authorize },
  'login-unknown': {
    url: scene.authorize,
    then: page => send(page, '#email', 'someone@a-company-that-nobody-here-knows.example'),
  },
  choice: { url: scene.choice },
  consent: { url: scene.consent, until: /\/consent/ },
  'auto-submit': { url: scene.post, stay: true },
  'unknown-client': { url: scene.unknownClient, status: 400 },
  'wrong-link': { url: scene.wrongConnection, status: 400 },
  'not-accepted': { url: scene.refused, status: 400, until: /\/acs/ },
  barred: { url: scene.barred, status: 403, until: /\/login\/continue/ },
  device: { url: `${scene.issuer}/device` },
  'device-wrong-code': {
    url: `${scene.issuer}/device`,
    then: page => send(page, '#user_code', 'BCDF-GHJK'),
  },
  'device-confirm': {
    url: `${scene.issuer}/device`,
    before: signIn,
    async then(page) {
      const body = new URLSearchParams({ client_id: 'television', scope: 'openid' });
      const codes = await (await fetch(`${scene.issuer}/oauth/device/code`, { method: 'POST', body })).json();
      if (!codes.user_code) throw new Error(JSON.stringify(codes));
      await send(page, '#user_code', codes.user_code);
      await page.locator(`text=${codes.user_code}`).first().waitFor();
    },
  },
  'sessions-of-nobody': { url: `${scene.issuer}/sessions` },
  sessions: { url: `${scene.issuer}/sessions`, before: signIn },
  consents: { url: `${scene.issuer}/consents`, before: signIn },
  logout: { url: `${scene.issuer}/oidc/logout`, before: signIn },
  'logged-out': {
    url: `${scene.issuer}/oidc/logout`,
    before: signIn,
    then: page => Promise.all([page.waitForNavigation(), page.click('button[name=confirm]')]),
  },
  'switch-account': { url: scene.selectAccount, before: signIn },
};

async function signIn(page) {
  await page.goto(scene.authorize);
  await page.fill('#email', 'alice@customer.example');
  await page.click('button[type=submit]');
  await atApp(page);
}

async function send(page, field, text) {
  await page.fill(field, text);
  await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
}
const views = [[1440, 900, 'light'], [768, 1024, 'dark'], [320, 640, 'light']];

async function look(name, how, [width, height, colorScheme]) {
  const view = `${name} ${width} ${colorScheme}`;
  const { context, page, wrong } = await open({ viewport: { width, height }, colorScheme, bypassCSP: true });
  const hosts = new Set();
  if (how.stay) await context.route('**/assets/submit.js', route => route.fulfill({ contentType: 'text/javascript', body: '' }));
  page.on('response', response => {
    if (response.status() >= 500) check(false, `${view}: ${response.status()} ${response.url()}`);
  });
  if (how.before) await how.before(page);
  const response = await page.goto(how.url);
  if (how.until) await page.waitForURL(how.until);
  if (how.then) await how.then(page);
  await page.waitForLoadState();
  page.on('request', request => hosts.add(new URL(request.url()).origin));
  if (how.status && !how.until) check(response.status() === how.status, `${view}: status ${response.status()}`);
  check(await page.title() !== '', `${view}: a title`);
  check([...hosts].every(host => host === scene.issuer), `${view}: foreign hosts ${[...hosts]}`);
  await page.screenshot({ path: `${out}/${name}-${width}-${colorScheme}.png`, fullPage: true });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  check(!sideways, `${view}: scrolls sideways`);
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => axe.run());
  for (const { id, impact, nodes } of violations) check(false, `${view}: axe ${id} (${impact}): ${nodes[0].html.slice(0, 120)}`);
  check(violations.length === 0, `${view}: axe`);
  // a page with an error status is reported by Chromium as a failed load: that is what it is
  const unexpected = wrong.filter(text => !/status of (400|403)/.test(text));
  check(unexpected.length === 0, `${view}: ${unexpected[0]}`);
  await context.close();
}

for (const [name, how] of Object.entries(pages)) {
  await step(`page ${name}`, async () => {
    for (const view of views) await look(name, how, view);
  });
}

// after the picture of its page: the answer is remembered
await step('consent by keys, remembered the second time', async () => {
  const { context, page, wrong } = await open();
  await page.goto(scene.consent);
  await page.waitForURL(/\/consent/);
  for (let press = 0; press < 12; press++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement?.value) === 'allow') break;
  }
  await page.keyboard.press('Enter');
  await atApp(page);
  check(answerOf(page).has('code'), `${answerOf(page)}`);
  await page.goto(scene.consent);
  await atApp(page);
  check(answerOf(page).has('code'), `again: ${answerOf(page)}`);
  check(wrong.length === 0, `${wrong[0]}`);
  await context.close();
});

await browser.close();
apps.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
