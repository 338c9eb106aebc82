import { STYLESHEET, styleSource } from "./style/stylesheet.ts";

/**
 * Only the style of the page, by its hash: no script, no picture, no request to anywhere.
 *
 * @param ownStyles stylesheets that a page has in addition
 */
export function pagePolicy(...ownStyles: readonly string[]): string {
  const styles = [STYLESHEET, ...ownStyles].map(styleSource).join(" ");
  return `default-src 'none'; style-src ${styles}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
}

export const PAGE_POLICY: string = pagePolicy();

/** Of every answer outside of the protocol. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  vary: "Accept, Accept-Encoding",
};
