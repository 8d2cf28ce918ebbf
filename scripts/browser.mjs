// Looks at pages in a real browser: node browser.mjs PAGES PICTURES [BROWSER]. scripts/browser.py calls it.
//
// PAGES is a folder that scripts/pages.py has written; pictures and prints go to PICTURES. Each page is taken at three
// widths, in light and dark, and as a print. A sentence for each finding, and exit code 1 where there is any:
//
// - axe-core finds something, or html-validate does
// - something is wider than the window, or a column is narrower than 8 characters
// - a link or a part that scrolls cannot be reached with the Tab key, or does not show that it is
// - the page asks somebody for something, or the browser reports an error
// - it shows something else with scripts switched off
// - a printed sheet is blank, or there are too many
//
// Needs puppeteer-core, axe-core and html-validate beside it and, without BROWSER, @sparticuz/chromium.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import puppeteer from 'puppeteer-core';

const WIDTHS = [390, 700, 1280];
const LEAST_CHARACTERS = 8;
const MOST_SHEETS = 16;
const TALLEST_PICTURE = 6000;
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [pages, pictures, installed] = process.argv.slice(2);
const findings = [];
let looks = 0;

const validator = new HtmlValidate(new StaticConfigLoader({
  extends: ['html-validate:recommended'],
  rules: {
    'no-redundant-role': 'off', // the roles of tables: CSS takes them away on narrow screens
    'long-title': 'off', // it is the user's
    'no-inline-style': 'error',
    'valid-id': ['error', { relaxed: true }], // keys have a slash
    'void-style': 'off', // as in SVG
    'tel-non-breaking': 'off', // dates and numbers in titles
  },
}));

await main();

async function main() {
  fs.mkdirSync(pictures, { recursive: true });
  const waiting = chosen();
  const launch = await launcher();
  await Promise.all([worker(launch, waiting), worker(launch, waiting)]);
  for (const finding of findings) console.error(finding);
  console.log(`${looks} looks at pages in a browser, ${findings.length} findings; the pictures are in ${pictures}`);
  process.exit(findings.length ? 1 : 0);
}

async function launcher() {
  const args = ['--no-sandbox', '--force-color-profile=srgb'];
  if (installed) return () => puppeteer.launch({ executablePath: installed, args });
  const { default: chromium } = await import('@sparticuz/chromium');
  const executablePath = await chromium.executablePath();
  return () => puppeteer.launch({ executablePath, args: [...chromium.args, ...args], headless: 'shell' });
}

// A browser of its own takes one page after the other: in two tabs of one browser, only one has the focus.
async function worker(launch, waiting) {
  const browser = await launch();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [name, file] = next;
    const found = (sentence) => findings.push(`${name}: ${sentence}`);
    await validate(file, found);
    await look(browser, name, file, found);
  }
  await browser.close();
}

// The index, one goal and the single file of each plan. The single file of a hundred goals is the index with all that is
// folded below it: too long for axe.
function chosen() {
  const found = [];
  for (const plan of fs.readdirSync(pages).sort()) {
    const goals = fs.readdirSync(path.join(pages, plan, 'site', 'goal')).filter((name) => name.endsWith('.html')).sort();
    found.push([`${plan}-index`, path.join(pages, plan, 'site', 'index.html')]);
    found.push([`${plan}-goal`, path.join(pages, plan, 'site', 'goal', goals[Math.min(1, goals.length - 1)])]);
    if (goals.length < 50) found.push([`${plan}-file`, path.join(pages, plan, 'one-file.html')]);
  }
  return found;
}

async function validate(file, found) {
  const report = await validator.validateFile(file);
  for (const result of report.results) {
    for (const { line, column, message, ruleId } of result.messages.slice(0, 5)) found(`${line}:${column} ${message} (${ruleId})`);
  }
}

async function look(browser, name, file, found) {
  const page = await browser.newPage();
  const address = pathToFileURL(file).href;
  page.on('request', (request) => {
    if (request.url() !== address && request.url() !== 'data:,') found(`asks for ${request.url()}`);
  });
  page.on('console', (message) => found(`the browser says: ${message.text()}`));
  await page.setViewport({ width: WIDTHS[0], height: 900 });
  await page.setJavaScriptEnabled(false);
  await page.goto(address);
  const without = await page.evaluate(() => document.body.innerText);
  await page.setJavaScriptEnabled(true);
  let first = true;
  for (const width of WIDTHS) {
    for (const scheme of width === WIDTHS[0] || width === WIDTHS[2] ? ['light', 'dark'] : ['light']) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.goto(address);
      const at = (sentence) => found(`at ${width} px, ${scheme}: ${sentence}`);
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      const clip = { x: 0, y: 0, width, height: Math.min(height, TALLEST_PICTURE) };
      await page.screenshot({ path: path.join(pictures, `${name}-${width}-${scheme}.png`), clip, captureBeyondViewport: true });
      if (scheme === 'light') for (const sentence of await page.evaluate(measure, LEAST_CHARACTERS)) at(sentence);
      if (width !== WIDTHS[1]) for (const sentence of await axe(page, scheme === 'dark')) at(sentence);
      if (first && without !== await page.evaluate(() => document.body.innerText)) at('shows something else without script');
      if (first) for (const sentence of await keys(page)) at(sentence);
      first = false;
      looks += 1;
    }
  }
  await print(page, name, found);
  await page.close();
}

// What is too wide or too narrow, in sentences. Runs in the page.
function measure(least) {
  const told = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const shown = (element) => `<${element.localName} class="${element.getAttribute('class') ?? ''}"> ${element.textContent.trim().slice(0, 30)}`;
  if (document.documentElement.scrollWidth > innerWidth) told.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.scroll, svg, .hidden, thead') || !seen(element)) continue;
    if (element.getBoundingClientRect().right > innerWidth + 1) told.push(`${shown(element)} ends outside of the window`);
  }
  for (const cell of document.querySelectorAll('th, td')) {
    if (!seen(cell) || cell.closest('.hidden, thead') || !cell.textContent.trim() || cell.querySelector('svg')) continue;
    const characters = cell.clientWidth / (parseFloat(getComputedStyle(cell).fontSize) * 0.55);
    if (characters < Math.min(least, cell.textContent.trim().length)) told.push(`${shown(cell)} is ${Math.round(characters)} characters wide`);
  }
  return told.slice(0, 5);
}

async function axe(page, coloursAlone) {
  await page.evaluate(AXE);
  return page.evaluate(async (colours) => {
    const options = colours ? { runOnly: ['color-contrast'] } : {};
    const { violations } = await window.axe.run(document, { ...options, resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => `axe: ${help} (${id}): ${nodes[0].html.slice(0, 120)}`);
  }, coloursAlone);
}

// Press Tab until it comes round, and say what was not reached, or did not show it.
async function keys(page) {
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter((element) => element.checkVisibility());
    all.forEach((element, number) => { element.dataset.number = number; });
    return all.length;
  });
  const reached = new Set();
  const told = [];
  for (let presses = 0; presses <= wanted; presses += 1) {
    await page.keyboard.press('Tab');
    const [number, outline] = await page.evaluate(() => {
      const { dataset } = document.activeElement;
      return [dataset.number ?? null, getComputedStyle(document.activeElement).outlineStyle];
    });
    if (number === null) break;
    if (outline === 'none') told.push(`element ${number} does not show that it has the focus`);
    reached.add(number);
  }
  if (reached.size !== wanted) told.push(`the Tab key reaches ${reached.size} of ${wanted} links and parts that scroll`);
  return told.slice(0, 5);
}

async function print(page, name, found) {
  for (const format of ['A4', 'Letter']) {
    const file = path.join(pictures, `${name}-${format}.pdf`);
    await page.pdf({ format, path: file, preferCSSPageSize: false });
    const sheets = sheetSizes(fs.readFileSync(file, 'latin1'));
    if (sheets.length > MOST_SHEETS) found(`${sheets.length} sheets of ${format}`);
    sheets.forEach((size, number) => { if (size < 300) found(`sheet ${number + 1} of ${format} is blank`); });
  }
}

// The length of what is drawn on each sheet of a PDF, in bytes.
function sheetSizes(pdf) {
  const lengths = new Map([...pdf.matchAll(/^(\d+) 0 obj\s*<<[^>]*?\/Length (\d+)/gm)].map(([, id, length]) => [id, Number(length)]));
  return [...pdf.matchAll(/\/Type\s*\/Page\b(?!s)[^]*?\/Contents (\d+) 0 R/g)].map(([, id]) => lengths.get(id) ?? 0);
}
