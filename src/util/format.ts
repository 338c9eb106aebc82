const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1536` → `1.5 KiB`. Binary units, at most one decimal. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** With all digits, for the input of a next run and for what is compared: `20 MiB (20971521 bytes)`. */
export function exactBytes(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${formatBytes(bytes)} (${bytes} bytes)`;
}

/** `7800` → `2 h 10 min`; minutes above one minute. */
export function formatDuration(seconds: number): string {
  if (seconds <= 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}

/** The 12 digits of the id of a lock, `sha256:…`, that people read out. */
export function shortId(id: string): string {
  return id.slice("sha256:".length, "sha256:".length + 12);
}

/** The same with a capital letter at its start. */
export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `1 blob`, `2 blobs` */
export function counted(count: number, what: string, several = `${what}s`): string {
  return `${count} ${count === 1 ? what : several}`;
}

/** Characters that control a terminal, or that reorder or hide text; also surrogates without a partner. */
export const UNSAFE_CHARACTERS: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/**
 * Makes foreign text safe for a terminal or a log line: control, bidirectional and other invisible characters become
 * `\u{…}` escapes, and the result is cut after `limit` characters (security case A-20).
 */
export function escapeForeign(text: string, limit = 256): string {
  const escaped = text.replace(UNSAFE_CHARACTERS, character => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped;
}

/**
 * Escapes in JSON what JSON.stringify leaves: DEL, C1, and what reorders or hides text, so that foreign text does not
 * control a terminal (security case A-20). Line feeds between values stay.
 */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE_CHARACTERS, found => {
    if (found === "\n") return found;
    const codes = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at));
    return codes.map(code => `\\u${code.toString(16).padStart(4, "0")}`).join("");
  });
}

/** Foreign text, escaped and in double quotes. */
export function quote(text: string): string {
  return `"${escapeForeign(text).replaceAll('"', '\\"')}"`;
}

/** `a, b or c` */
export function alternatives(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), ...words.slice(-1)].filter(Boolean).join(" or ");
}
