import { redact } from "../../util/redact.ts";

const REDACTED = "[redacted]";
/** Flags whose values may be secrets, though imgpack takes none on its command line. */
const SECRET_FLAG = /^--?(?!.*-(?:stdin|file)$)[\w-]*(?:pass|token|secret|auth|cred)[\w-]*$/i;
/** Flags whose values are NAME=VALUE. */
const VALUE_FLAGS: ReadonlySet<string> = new Set(["--env", "--label"]);
/** `user:password@host`, and no tag before a digest. */
const USERINFO = /^[^/@:\s]+:[^/@\s]*@(?!sha(?:256|512):)/;

/** The words of a command line, without what may be a secret. */
export function redactedWords(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    const before = words[index - 1] ?? "";
    if (SECRET_FLAG.test(before) && !word.startsWith("-")) return REDACTED;
    if (VALUE_FLAGS.has(before)) return withoutValue(word);
    const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    if (flag === undefined || value === undefined) return plain(word);
    if (SECRET_FLAG.test(flag)) return `${flag}=${REDACTED}`;
    return `${flag}=${VALUE_FLAGS.has(flag) ? withoutValue(value) : plain(value)}`;
  });
}

function withoutValue(word: string): string {
  const [name = ""] = word.split("=", 1);
  return name === word ? plain(word) : `${name}=${REDACTED}`;
}

function plain(word: string): string {
  return redact(word.replace(USERINFO, `${REDACTED}@`));
}
