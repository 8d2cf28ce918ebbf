// Has Mermaid itself read every chart in the Markdown files named. Fails, with its words, on the first it cannot read.
// Before: npm install --no-save mermaid jsdom
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!DOCTYPE html><body></body>");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

let count = 0;
for (const name of process.argv.slice(2)) {
  for (const [, chart] of readFileSync(name, "utf8").matchAll(/^```mermaid\n(.*?)^```$/gms)) {
    await mermaid.parse(chart);
    count += 1;
  }
}
console.log(`Mermaid reads ${count} charts`);
if (count === 0) process.exit(1);
