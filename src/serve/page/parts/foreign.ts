import { UNSAFE_CHARACTERS } from "../../../util/format.ts";
import { type Html, html } from "../html/html.ts";
import { numeral } from "./quantity.ts";

/** Characters of one value that a page shows; a label may have a megabyte. */
export const MAX_SHOWN = 4096;

/**
 * Text from an image, a file or a request. What reorders or hides text is marked, as `\u{202e}`; a long text is cut, and the
 * page says so.
 *
 * @param limit characters
 */
export function foreign(text: string, limit: number = MAX_SHOWN): Html {
  if (text.length <= limit) return marked(text);
  return html`${marked(text.slice(0, limit))}&hellip; <span class="soft">cut, ${numeral(text.length)} characters</span>`;
}

function marked(text: string): Html {
  const parts: (Html | string)[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(UNSAFE_CHARACTERS)) {
    parts.push(text.slice(end, index), html`<span class="esc">${found}</span>`);
    end = index + found.length;
  }
  return html`${parts}${text.slice(end)}`;
}

/** A name in which a line may break after `/`, `:` and `@`; it is copied without the breaks. It may be foreign text. */
export function breakable(text: string): Html {
  return html`${text.split(/(?<=[/:@])/).map((part, index) => html`${index > 0 && html`<wbr>`}${marked(part)}`)}`;
}
