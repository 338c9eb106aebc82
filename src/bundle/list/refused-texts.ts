import { UsageError } from "../../errors.ts";
import { counted, escapeForeign, quote } from "../../util/format.ts";
import type { RefusedText } from "./listed-reference.ts";

const MAX_TEXT = 256;
/** Of one message. All of them are in `--list --json`. */
const MAX_LINES = 1000;

/** A text as it may be repeated: what is before an "@" may be a password, except before a digest. */
export function shownText(text: string): string {
  const at = text.indexOf("@");
  const rest = text.slice(at + 1);
  const isSecret = at !== -1 && rest.includes("/") && !/^sha(?:256|512):/.test(rest);
  return (isSecret ? `…${text.slice(at)}` : text).slice(0, MAX_TEXT);
}

const TEMPLATE_HINT = "Render the template first, for example with: helm template CHART | imgpack lock --list -f -";

/** All that cannot be taken, of all inputs, in one error. */
export function refusedError(refused: readonly RefusedText[]): UsageError {
  const hint = refused.some(({ text }) => text.includes("{{")) ? TEMPLATE_HINT : undefined;
  const files = [...new Set(refused.map(({ file }) => escapeForeign(file)))].join(", ");
  const lines = refused
    .slice(0, MAX_LINES)
    .map(
      ({ file, line, text, why }) => `${escapeForeign(file)}:${line}: ${text === "" ? "" : `${quote(text)}: `}${why}`,
    );
  const more = refused.length > MAX_LINES ? [`and ${refused.length - MAX_LINES} more`] : [];
  const found = `${counted(refused.length, "bad line")} found, expected none`;
  return new UsageError([`Cannot read images from ${files}: ${found}`, ...lines, ...more].join("\n"), { hint });
}
