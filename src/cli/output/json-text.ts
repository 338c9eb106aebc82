import { UNSAFE_CHARACTERS } from "../../util/format.ts";

/**
 * JSON for a pipe or a terminal. JSON.stringify escapes C0 only: DEL, C1 and what reorders or hides text are escaped
 * here, so that foreign text does not control a terminal (security case A-20).
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.replace(UNSAFE_CHARACTERS, found =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );
}
