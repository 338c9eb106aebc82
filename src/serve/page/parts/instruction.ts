import { type Html, html } from "../html/html.ts";
import { foreign, MAX_SHOWN } from "./foreign.ts";
import { numeral } from "./quantity.ts";

/** A build step as its tool wrote it, without what every step has. */
export interface Instruction {
  /** `RUN`; empty if it is not known. */
  readonly verb: string;
  readonly rest: string;
}

/**
 * Takes the `created_by` of a step apart: BuildKit writes `RUN /bin/sh -c … # buildkit`, docker without it `/bin/sh -c …` for
 * RUN and `/bin/sh -c #(nop) …` for all others.
 */
export function readInstruction(createdBy: string): Instruction {
  const text = createdBy
    .slice(0, 4 * MAX_SHOWN)
    .replace(/\s+/g, " ")
    .trim()
    .replace(/ # buildkit$/, "");
  const [, nop] = /^\/bin\/sh -c #\(nop\) ?(.*)$/.exec(text) ?? [];
  const [, shell] = /^(?:\|\d+ .*?)?(?:RUN )?(?:\|\d+ .*?)?\/bin\/sh -c (.*)$/.exec(text) ?? [];
  if (nop === undefined && shell !== undefined) return { verb: "RUN", rest: shell };
  // Docker without BuildKit names what was copied by a checksum that nothing else has.
  const plain = (nop ?? text).trim().replace(/\b(file|dir|multi):([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1:$2\u2026");
  const [, verb = "", rest = plain] = /^([A-Z]{3,11}) (.*)$/.exec(plain) ?? [];
  return { verb, rest };
}

/** Characters of an instruction that are seen at once. */
const MAX_SEEN = 190;

/** An instruction; a long one is folded. */
export function instruction(createdBy: string | undefined, ifNone = "no instruction in the history"): Html {
  if (createdBy === undefined || createdBy.trim() === "") return html`<span class="by soft">${ifNone}</span>`;
  const { verb, rest } = readInstruction(createdBy);
  const whole = verb.length + 1 + rest.length;
  if (whole <= MAX_SEEN) return line(verb, rest);
  return html`${line(verb, `${rest.slice(0, MAX_SEEN - verb.length)} …`)}<details><summary>whole instruction, ${numeral(createdBy.length)} characters</summary>${line(verb, rest)}</details>`;
}

/** @param limit characters of an instruction where there is little room */
export function shortInstruction(createdBy: string | undefined, limit: number): Html {
  const { verb, rest } = readInstruction(createdBy ?? "");
  return line(verb, rest.length > limit ? `${rest.slice(0, limit)} …` : rest);
}

function line(verb: string, rest: string): Html {
  return html`<span class="by">${verb !== "" && html`<b>${verb}</b> `}${foreign(rest)}</span>`;
}
