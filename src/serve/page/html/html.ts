import { UNSAFE_CHARACTERS } from "../../../util/format.ts";

/** HTML that may be sent as it is. Only `html` makes it. */
export class Html {
  readonly #text: string;

  /** @param text is not escaped. */
  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** @internal Of `html` and `joined` alone. */
  static ofTrusted(text: string): Html {
    return new Html(text);
  }
}

/** What a template takes: text and numbers are escaped, lists are put one after the other, false and undefined are nothing. */
export type Part = Html | string | number | false | undefined | readonly Part[];

/** A template that escapes each value, in text and in attributes with quotes. Nothing else makes HTML. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = strings[0] ?? "";
  for (const [index, value] of values.entries()) text += textOf(value) + (strings[index + 1] ?? "");
  return Html.ofTrusted(text);
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "object") return part.map(textOf).join("");
  return escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attributes; what reorders or hides text becomes visible, as in the terminal. */
function escapeHtml(text: string): string {
  return text
    .replace(UNSAFE_CHARACTERS, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"']/g, character => ENTITIES[character] ?? "");
}
