import { type Html, html, type Part } from "../html/html.ts";

/** A part of a page, with its heading and a note on the right. */
export function section(id: string, title: Part, note: Part, ...content: readonly Part[]): Html {
  const head = html`<div class="head"><h2 id="${id}">${title}</h2>${note !== undefined && html`<p>${note}</p>`}</div>`;
  return html`<section aria-labelledby="${id}">${head}\n${content}</section>\n`;
}

export interface Fact {
  readonly name: string;
  readonly value: Part;
  /** A smaller word after the value: `of 22`. */
  readonly of?: string | undefined;
  readonly isBad?: boolean;
}

/** Large numbers, each with what it counts. */
export function facts(list: readonly Fact[]): Html {
  const items = list.map(({ name, value, of, isBad = false }) => {
    const small = of !== undefined && html` <small>${of}</small>`;
    return html`<div${isBad && html` class="bad"`}><dt>${name}</dt><dd>${value}${small}</dd></div>`;
  });
  return html`<dl class="facts">${items}</dl>\n`;
}

/** Damage, before everything else on the page. */
export function alert(title: Part, items: readonly Part[], end: Part): Html {
  const list = items.length > 0 && html`<ul>${items.map(item => html`<li>${item}</li>`)}</ul>`;
  return html`<section class="alert" aria-label="Damage"><p><strong>${title}</strong></p>${list}${end !== undefined && html`<p>${end}</p>`}</section>\n`;
}

/** Names and values. */
export function keyValues(pairs: readonly (readonly [name: Part, value: Part])[], style = "kv"): Html {
  return html`<dl class="${style}">${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

export interface Crumb {
  readonly text: Part;
  /** Without it: where the reader is. */
  readonly href?: string;
}

export function crumbs(list: readonly Crumb[]): Html {
  const items = list.map(
    ({ text, href }) => html`<li>${href === undefined ? text : html`<a href="${href}">${text}</a>`}</li>`,
  );
  return html`<nav aria-label="Where this is"><ol class="crumbs">${items}</ol></nav>`;
}

/** A command to copy: one click selects the whole line. */
export function commandLine(text: Part): Html {
  return html`<code class="cmd" tabindex="0">${text}</code>`;
}

/** A reference to copy, for tools that the page does not name. */
export function referenceLine(text: Part): Html {
  return html`<code class="cmd ref" tabindex="0">${text}</code>`;
}
