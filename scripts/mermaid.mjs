// Has Mermaid itself draw every gantt chart in the Markdown files named, and prints the names of goals and steps as it
// shows them. Fails, with its words, on the first that it cannot read, and where it shows more or fewer names than lines.
// Before: npm install --no-save mermaid jsdom
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!DOCTYPE html><body></body>");
// What Mermaid asks of a browser and jsdom has not: the size of text, and style sheets.
window.SVGElement.prototype.getBBox = () => ({ x: 0, y: 0, width: 100, height: 10 });
const CSSStyleSheet = class { cssRules = []; replaceSync() {} insertRule() {} };
Object.assign(globalThis, { window, document: window.document, CSSStyleSheet });
const { default: mermaid } = await import("mermaid");

let count = 0;
for (const name of process.argv.slice(2)) {
  for (const [, chart] of readFileSync(name, "utf8").matchAll(/^```mermaid\n(.*?)^```$/gms)) {
    count += 1;
    const { svg } = await mermaid.render(`chart${count}`, chart);
    const texts = [...new JSDOM(svg).window.document.querySelectorAll(".sectionTitle, .taskText, [class*=taskTextOutside]")];
    const lines = chart.match(/^ {4}(?:section .*|.* :.*\d{4}-\d\d-\d\d, \d+d)$/gm) ?? [];
    console.log(texts.map((text) => text.textContent.trimEnd()).join("\n"));
    if (texts.length !== lines.length) throw new Error(`${name}: ${lines.length} lines, and ${texts.length} names are shown`);
  }
}
console.log(`Mermaid draws ${count} charts`);
if (count === 0) process.exit(1);
