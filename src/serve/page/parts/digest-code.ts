import { type Digest, digestHex } from "../../../oci/digest.ts";
import { type Html, html } from "../html/html.ts";

const SHOWN_DIGITS = 12;

/** A digest in a name, cut: `sha256:51eb7e36383f…` */
export function cutDigest(digest: Digest): string {
  return `${digest.slice(0, shownEnd(digest))}\u2026`;
}

function shownEnd(digest: Digest): number {
  return digest.indexOf(":") + 1 + SHOWN_DIGITS;
}

/**
 * A digest of which 12 digits are seen and spoken. All of it is in the text: a search in the page finds it, one click selects
 * it, and focus unfolds it.
 *
 * @param isFocusable false in long tables, where each row would need one more press of the tab key
 */
export function digestCode(digest: Digest, { isFocusable = true }: { readonly isFocusable?: boolean } = {}): Html {
  const end = shownEnd(digest);
  const rest = html`<span aria-hidden="true">${digest.slice(end)}</span>`;
  return html`<code class="digest" title="${digest}"${isFocusable && html` tabindex="0"`}>${digest.slice(0, end)}${rest}</code>`;
}

/** Without the algorithm, for a narrow column. */
export function bareDigest(digest: Digest): Html {
  const hex = digestHex(digest);
  const rest = html`<span aria-hidden="true">${hex.slice(SHOWN_DIGITS)}</span>`;
  return html`<code class="digest bare" title="${digest}">${hex.slice(0, SHOWN_DIGITS)}${rest}</code>`;
}

export function wholeDigest(digest: Digest): Html {
  return html`<code class="digest full">${digest}</code>`;
}

/** The 12 digits of the id of a bundle, in fours, as people read them out. */
export function spokenId(id: Digest): Html {
  const fours = digestHex(id).slice(0, SHOWN_DIGITS).match(/.{4}/g) ?? [];
  return html`<span class="id">${fours.map(part => html`<span>${part}</span>`)}</span>`;
}
