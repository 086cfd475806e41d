// The demo as a newcomer meets it, in headless Chromium: node demo.mjs SITE OUT, in the folder of the peers' packages.
// Screenshots go to OUT. Ends with `N passed, N failed`.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import process from 'node:process';

const require = createRequire(process.cwd() + '/');
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const [, , site, out] = process.argv;
fs.mkdirSync(out, { recursive: true });
setTimeout(() => { console.log('FAIL it took too long'); process.exit(1); }, 180_000).unref();

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

async function look(page, name) {
  await page.waitForLoadState();
  await page.screenshot({ path: `${out}/demo-${name}.png`, fullPage: true });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  check(!sideways, `${name}: scrolls sideways`);
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => axe.run());
  for (const { id, impact, nodes } of violations) check(false, `${name}: axe ${id} (${impact}): ${nodes[0].html.slice(0, 120)}`);
  check(violations.length === 0, `${name}: axe`);
}

async function signIn(way, email, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.on('console', message => { if (message.type() === 'error') wrong.push(message.text()); });
  page.on('pageerror', error => wrong.push(String(error)));
  await page.goto(site);
  await look(page, `${way}-1-site`);
  await page.goto(new URL('/login', site).href);
  await page.fill('#email', email);
  await page.keyboard.press('Enter');
  await page.waitForSelector('button[name=answer][value=sign_in]');
  await look(page, `${way}-2-identity-provider`);
  await page.click('button[name=answer][value=sign_in]');
  await page.waitForSelector('button[name=decision][value=allow]');
  await look(page, `${way}-3-consent`);
  await page.click('button[name=decision][value=allow]');
  await page.waitForSelector('[aria-label="The API\'s answer"]');
  await look(page, `${way}-4-account`);
  const words = await page.locator('body').innerText();
  check(page.url().startsWith(site), `${way}: ${page.url()}`);
  check(words.includes(email), `${way}: ${words.slice(0, 200)}`);
  check(wrong.length === 0, `${way}: ${wrong[0]}`);
  await context.close();
}

for (const [way, email, viewport, colors] of [
  ['saml', 'alice@acme.example', { width: 1440, height: 900 }, 'light'],
  ['oidc', 'bob@globex.example', { width: 320, height: 640 }, 'dark'],
]) {
  try {
    await signIn(way, email, viewport, colors);
    console.log(`ok   ${way}`);
  } catch (error) {
    check(false, `${way}: ${String(error).split('\n')[0]}`);
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
