import { type Html, html, type Part } from "../html/html.ts";
import { many } from "./quantity.ts";

/** A word with a sign before it, so that colour alone never says something. */
export type StateKind = "signed" | "verified" | "none" | "unknown" | "bad" | "new" | "changed" | "same" | "gone";

export function state(kind: StateKind, text: Part): Html {
  return html`<span class="state ${kind}">${text}</span>`;
}

/**
 * Signatures are counted, not checked. "none": the source has none. "absent": none are here, and no one asked the source.
 * "unknown": it did not answer.
 */
export function signatureState(signatures: number | "none" | "absent" | "unknown"): Html {
  if (typeof signatures === "number") return state("signed", many(signatures, "signature"));
  return signatures === "unknown"
    ? state("unknown", "unknown")
    : state("none", signatures === "none" ? "not signed" : "none here");
}

/** @param title says what the word is short for; another place says it in text, too. */
export function chip(
  text: Part,
  { title, isAbsent = false }: { readonly title?: string | undefined; readonly isAbsent?: boolean } = {},
): Html {
  return html`<span class="chip${isAbsent && " absent"}"${title !== undefined && html` title="${title}"`}>${text}</span>`;
}
