import { digestHex } from "../../../oci/digest.ts";
import type { ServedPart } from "../../content/served-registry.ts";
import { type Html, html } from "../html/html.ts";
import { spokenId } from "../parts/digest-code.ts";
import { href } from "../parts/links.ts";
import { many } from "../parts/quantity.ts";
import { fileName } from "./fault-words.ts";

const ID_DIGITS = 12;

/** What `?a=` and `?b=` call it: the digits that people read out, or the file. */
export function bundleKey({ id, files: [first = ""] }: ServedPart): string {
  return id === undefined ? first : digestHex(id).slice(0, ID_DIGITS);
}

/** Its id in fours, or its file. */
export function bundleName({ id, files: [first = ""] }: ServedPart): Html {
  return id === undefined ? fileName(first) : spokenId(id);
}

/** Its files, in a few words. */
export function bundleFiles({ files }: ServedPart): Html {
  const [first = "", ...more] = files;
  return html`${fileName(first)}${more.length > 0 && ` and ${many(more.length, "more file", "more files")}`}`;
}

export function compareHref(a: ServedPart, b: ServedPart): string {
  return href("/compare", { a: bundleKey(a), b: bundleKey(b) });
}

/** A sentence for each delta: what its base is, and where to compare them. */
export function deltaSentences(parts: readonly ServedPart[]): readonly Html[] {
  return parts.flatMap(part => (part.isDelta ? [deltaSentence(part, parts)] : []));
}

function deltaSentence(part: ServedPart, parts: readonly ServedPart[]): Html {
  const which = parts.length === 1 ? html`It` : bundleName(part);
  if (part.bases.length === 0) return html`${which} is a delta.`;
  const bases = part.bases.map((id, index) => html`${index > 0 && ", "}${spokenId(id)}`);
  const are = part.bases.length === 1 ? "its base is" : "its bases are";
  const links = part.bases.flatMap(id => {
    const base = parts.find(other => other.id === id);
    if (base === undefined) return [];
    const what = part.bases.length === 1 ? html`its base` : spokenId(id);
    return [html` <a href="${compareHref(base, part)}">Compare it with ${what}</a>`];
  });
  const absent = part.bases.length - links.length;
  const lack =
    absent > 0 &&
    (absent === part.bases.length
      ? `, which ${absent === 1 ? "is" : "are"} not served here`
      : `; ${absent === 1 ? "one of them is" : `${absent} of them are`} not served here`);
  return html`${which} is a delta: ${are} ${bases}${lack}.${links}`;
}
